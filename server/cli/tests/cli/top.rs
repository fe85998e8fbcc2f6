//! `gesta top`: a server's figures as lines, and live on a terminal that is left as it was.

use crate::server::Server;
use crate::support::{Place, bare_command, eventually, finish, wait};
use gesta_protocol::Plane;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

#[test]
fn once_as_json_it_prints_what_one_interval_brought() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let mut wire = server.connect(Plane::Append, "").unwrap();
    for _ in 0..5 {
        wire.append("{}").unwrap();
    }
    let http = server.address("http").to_string();
    let mut figures =
        finish(&mut bare_command(&["top", "--http", &http, "--once", "--json", "--interval", "0.1"])).json();
    assert!(figures["seconds"].as_f64().unwrap() >= 0.1);
    let append = figures["planes"]["append"].take();
    assert_eq!((&append["connections_open"], &append["requests_per_second"]), (&1.into(), &0.0.into()), "{append}");
    let store = figures["stores"][0].take();
    assert_eq!((&store["store"], &store["events"]), (&"default".into(), &5.into()), "{store}");
    assert!(store["command_us"]["p99"].as_u64() >= store["command_us"]["p50"].as_u64());
    assert!(store["command_us"]["p50"].as_u64() > Some(0) && store["bytes"].as_u64() > Some(0), "{store}");
    server.stop();
}

#[test]
fn once_for_people_it_prints_the_screen_as_text() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    server.connect(Plane::Append, "").unwrap().append("{}").unwrap();
    let http = server.address("http").to_string();
    let shown = finish(&mut bare_command(&["top", "--http", &http, "--once", "--interval", "0.1"])).ok().stdout;
    assert!(shown.starts_with(&format!("gesta top  {http}  up ")) && !shown.contains('\u{1b}'), "{shown}");
    assert!(shown.lines().all(|line| line.len() <= 80) && shown.contains("\ndefault  "), "{shown}");
    server.stop();
}

#[test]
fn as_json_it_goes_on_line_after_line_until_it_is_told_to_end() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let http = server.address("http").to_string();
    let mut command = bare_command(&["top", "--http", &http, "--json", "--interval", "0.1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut two = [0; 2];
    let mut line_ends = 0;
    while line_ends < 2 {
        child.stdout.as_mut().unwrap().read_exact(&mut two[..1]).unwrap();
        line_ends += usize::from(two[0] == b'\n');
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(wait(child).ok().status, 0);
    server.stop();
}

#[test]
fn a_server_that_is_not_there_or_not_one_is_said_so() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let top = |http: &str, more: &[&str]| finish(&mut bare_command(&[&["top", "--http", http], more].concat()));
    for more in [&["--once"][..], &["--json"]] {
        let run = top(&free, more);
        assert_eq!(run.status, 4, "{run:?}");
        assert!(run.stderr.contains("Connection refused") && run.stderr.contains("operator's port"), "{run:?}");
    }
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let run = top(&server.address("read").to_string(), &["--once"]);
    assert!(run.failure(4).contains("cannot ask the server at"), "{run:?}");
    server.stop();
    let run = finish(&mut bare_command(&["top"]));
    assert_eq!(run.failure(2), "gesta: no server: say which with --store gesta://host, or --http HOST:PORT");
    let run = top("127.0.0.1:1", &[]);
    assert!(run.failure(2).contains("standard output is no terminal: give --once"), "{run:?}");
    assert!(top("127.0.0.1:1", &["--interval", "0"]).failure(2).contains("from 0.1 to 3600"));
}

/// A terminal of 80 columns and 24 rows, and what was written to it.
struct Terminal {
    ours: File,
    theirs: File,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    fn new() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = File::options().read(true).write(true).open(name).unwrap();
        tcsetwinsize(&theirs, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let (mut reading, written) = (File::from(ours.try_clone().unwrap()), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reading.read(&mut buffer) {
                seen.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { ours: File::from(ours), theirs, written }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let theirs = || Stdio::from(self.theirs.try_clone().unwrap());
        let mut command = bare_command(arguments);
        command.env("TERM", "xterm").stdin(theirs()).stdout(theirs()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// How it treats keys and lines.
    fn modes(&self) -> String {
        let modes = tcgetattr(&self.theirs).unwrap();
        format!("{:?} {:?} {:?}", modes.input_modes, modes.output_modes, modes.local_modes)
    }
}

const ENTER_SCREEN: &str = "\u{1b}[?1049h";
const LEAVE_SCREEN: &str = "\u{1b}[?1049l";
const SHOW_CURSOR: &str = "\u{1b}[?25h";

#[test]
fn on_a_terminal_it_is_live_and_leaves_the_terminal_as_it_was() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    server.connect(Plane::Append, "").unwrap().append("{}").unwrap();
    let http = server.address("http").to_string();
    for end in ["q", "\u{3}", "SIGTERM"] {
        let terminal = Terminal::new();
        let before = terminal.modes();
        let child = terminal.start(&["top", "--http", &http, "--interval", "0.1"]);
        let is_shown = eventually(|| terminal.text().contains("default"));
        assert!(is_shown && terminal.text().contains(ENTER_SCREEN), "{:?}", terminal.text());
        assert_ne!(terminal.modes(), before, "keys come as they are pressed");
        if end == "SIGTERM" {
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        } else {
            (&terminal.ours).write_all(end.as_bytes()).unwrap();
        }
        let run = wait(child);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{end:?}");
        assert_eq!(terminal.modes(), before, "{end:?}");
        let is_left = eventually(|| terminal.text().contains(LEAVE_SCREEN) && terminal.text().contains(SHOW_CURSOR));
        assert!(is_left, "{end:?}: {:?}", terminal.text());
    }
    server.stop();
}

#[test]
fn live_it_tells_that_the_server_has_gone_and_waits_for_it() {
    let place = Place::new();
    let server = Server::start(&place, &[]);
    let http = server.address("http").to_string();
    let terminal = Terminal::new();
    let child = terminal.start(&["top", "--http", &http, "--interval", "0.1"]);
    assert!(eventually(|| terminal.text().contains("gesta top")));
    server.stop();
    // The screen writes what has changed, so that words may come in pieces.
    assert!(
        eventually(|| terminal.text().contains("cannot") && terminal.text().contains("refused")),
        "{:?}",
        terminal.text()
    );
    let arguments = ["serve", "--append", "127.0.0.1:0", "--read", "127.0.0.1:0", "--http", &http];
    let server = Server::start_as(place.command(&arguments));
    server.connect(Plane::Append, "").unwrap().append("{}").unwrap();
    assert!(eventually(|| terminal.text().contains("default")), "{:?}", terminal.text());
    (&terminal.ours).write_all(b"q").unwrap();
    wait(child).ok();
    server.stop();
}
