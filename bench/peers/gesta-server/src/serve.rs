//! The server's side of this program, as `gesta serve` runs it.

use driver::Failure;
use gesta_server::Server;
use gesta_server::settings::Settings;
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use std::env;
use std::net::{Ipv4Addr, SocketAddr};

/// What the first argument is for a server; then come a directory and the two ports.
pub(crate) const COMMAND: &str = "--serve";

/// Serves until a signal tells it to end, if the command line says so.
pub(crate) fn if_told() -> Option<Result<(), Failure>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [COMMAND, directory, append, read] => Some(serve(directory, append, read)),
        _ => None,
    }
}

fn serve(directory: &str, append: &str, read: &str) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGTERM])?;
    let at = |port: &str| Ok::<_, Failure>(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse()?)));
    std::fs::create_dir_all(directory)?;
    let settings =
        Settings { dir: Some(directory.into()), append: at(append)?, read: at(read)?, ..Settings::default() };
    let server = Server::start(settings)?;
    signals.forever().next();
    let report = server.stop();
    if report.failed.is_empty() { Ok(()) } else { Err("the server could not close its store".into()) }
}
