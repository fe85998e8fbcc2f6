//! `gesta serve`: the server, until it is told to stop.

use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use gesta_server::operator::{self, Logs};
use gesta_server::settings::{Loaded, LogSettings, Settings};
use gesta_server::{Addresses, Server, StartError};
use sd_notify::NotifyState;
use serde::Serialize;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::PathBuf;
use std::time::Duration;

/// What `serve` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory that the stores lie in; `--store DIR` means the same
    #[arg(long, value_name = "DIR")]
    dir: Option<String>,
    /// Where the append plane listens [default: 127.0.0.1:4701]
    #[arg(long, value_name = "ADDRESS")]
    append: Option<String>,
    /// Where the read plane listens [default: 127.0.0.1:4702]
    #[arg(long, value_name = "ADDRESS")]
    read: Option<String>,
    /// Where the operator's pages are: /livez, /readyz, /metrics, /snapshot [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    /// The file of settings, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Allows plain text beyond this machine
    #[arg(long)]
    insecure: bool,
    /// The form of the log on standard error: text or json
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Sets any setting, such as limits.idle_timeout_ms=5000; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// What is printed when the server is ready.
#[derive(Serialize)]
struct Ready {
    #[serde(flatten)]
    addresses: Addresses,
    pid: u32,
}

/// How long the last lines of the log are waited for.
const LOG_PATIENCE: Duration = Duration::from_secs(1);

/// Serves until a signal says to stop.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let settings = load(arguments, context)?.into_settings();
    let logs = start_logs(&settings.log)?;
    // Before anything is served, so that no signal comes too early.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| Failure::new(Status::Refused, "signals", format!("cannot watch for signals: {error}")))?;
    let server = Server::start(settings).map_err(Failure::from)?;
    tell_addresses(server.addresses())?;
    notify(NotifyState::Ready);
    for signal in &mut signals {
        if signal != SIGHUP {
            break;
        }
        notify(NotifyState::Reloading);
        server.reload();
        notify(NotifyState::Ready);
    }
    notify(NotifyState::Stopping);
    // Whoever signals again has no time to wait.
    std::thread::spawn(move || {
        if signals.forever().any(|signal| signal != SIGHUP) {
            std::process::exit(128 + SIGTERM);
        }
    });
    let report = server.stop();
    logs.flush(LOG_PATIENCE);
    match report.failed.first() {
        None => Ok(Status::Done),
        Some((store, error)) => {
            let message = format!("the store {:?}: {error}", store.as_str());
            Err(Failure::new(Status::Refused, "close", message))
        }
    }
}

/// The settings from all their sources.
pub(crate) fn load(arguments: &Arguments, context: &Context) -> Result<Loaded, Failure> {
    let Arguments { dir, append, read, http, config, insecure, log_format, settings } = arguments;
    let mut flags: Vec<(&str, String)> = Vec::new();
    let store = context.store.as_ref().and_then(|store| store.to_str()).map(str::to_owned);
    let given =
        [("dir", dir.clone().or(store)), ("append", append.clone()), ("read", read.clone()), ("http", http.clone())];
    flags.extend(given.into_iter().filter_map(|(key, value)| Some((key, value?))));
    flags.extend(insecure.then(|| ("insecure", "true".to_owned())));
    flags.extend(log_format.clone().map(|format| ("log.format", format)));
    for setting in settings {
        let Some((key, value)) = setting.split_once('=') else {
            return Err(Failure::usage(format!(
                "--set {setting}: write KEY=VALUE, such as limits.idle_timeout_ms=5000"
            )));
        };
        flags.push((key, value.to_owned()));
    }
    Settings::load(config.as_deref(), std::env::vars_os(), &flags)
        .map_err(|error| Failure::new(Status::Usage, "settings", error.to_string()))
}

fn start_logs(settings: &LogSettings) -> Result<Logs, Failure> {
    operator::start(settings)
        .map_err(|error| Failure::new(Status::Refused, "log", format!("cannot start the log: {error}")))
}

fn tell_addresses(addresses: Addresses) -> Result<(), Failure> {
    let mut output = Output::lock();
    match output.json(&Ready { addresses, pid: std::process::id() }).and_then(|()| output.flush()) {
        // A server does not depend on somebody reading what it printed.
        Ok(()) | Err(Failure::OutputClosed) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Tells the service manager, if there is one.
fn notify(state: NotifyState<'_>) {
    // A service manager that cannot be told is its own affair.
    let _ = sd_notify::notify(false, &[state]);
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let (status, code) = match &error {
            StartError::Settings(_) => (Status::Usage, "settings"),
            StartError::Listen { .. } => (Status::Unreachable, "listen"),
            StartError::Stores(_) => (Status::Unreachable, "store_open"),
            _ => (Status::Refused, "start"),
        };
        Self::new(status, code, format!("cannot start the server: {error}"))
    }
}
