//! The server as a process of its own, on ports that it keeps through all restarts.

use super::memory_limit::MemoryLimit;
use crate::support::{Place, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// The real server on a directory of its own.
pub(super) struct Served<'m> {
    place: Place,
    settings: &'static [&'static str],
    memory: Option<&'m MemoryLimit>,
    ports: [u16; 2],
    process: Child,
}

impl<'m> Served<'m> {
    /// Starts it, with settings beside the usual ones, and waits until it is ready.
    pub(super) fn start(settings: &'static [&'static str], memory: Option<&'m MemoryLimit>) -> Self {
        let (place, ports) = (Place::new(), free_ports());
        let process = spawn(&place, settings, memory, ports);
        let mut served = Self { place, settings, memory, ports, process };
        served.wait_until_ready();
        served
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Where its store is, for clients.
    pub(super) fn address(&self) -> String {
        format!("gesta://127.0.0.1:{},{}", self.ports[0], self.ports[1])
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Kills it, and starts another one at once, without waiting until that is ready.
    pub(super) fn kill_and_start(&mut self) {
        self.signal(Signal::KILL);
        let status = self.process.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it had ended by itself, with {status}: {}", self.said());
        self.process = spawn(&self.place, self.settings, self.memory, self.ports);
    }

    /// Waits until the kernel has killed it, and starts another one that may have as much memory as it likes.
    pub(super) fn wait_for_kill_and_start(&mut self) {
        let status = self.wait();
        assert_eq!(status.signal(), Some(9), "{status}: {}", self.said());
        self.memory = None;
        self.process = spawn(&self.place, self.settings, None, self.ports);
        self.wait_until_ready();
    }

    /// Has it end in good order, and starts another one; tells how long the end took.
    pub(super) fn end_and_start(&mut self) -> Duration {
        let took = self.end();
        self.process = spawn(&self.place, self.settings, self.memory, self.ports);
        self.wait_until_ready();
        took
    }

    /// Has it end, which it must in good order; tells how long that took.
    pub(super) fn end(&mut self) -> Duration {
        let told = Instant::now();
        self.signal(Signal::TERM);
        let status = self.wait();
        assert_eq!(status.code(), Some(0), "{status}: {}", self.said());
        told.elapsed()
    }

    /// Waits until it listens, and says so.
    pub(super) fn wait_until_ready(&mut self) {
        let mut ended = None;
        let is_ready = eventually(|| {
            ended = self.process.try_wait().unwrap();
            ended.is_some() || std::fs::read(self.place.path("ready")).unwrap().ends_with(b"\n")
        });
        assert!(is_ready && ended.is_none(), "it is not ready ({ended:?}): {}", self.said());
    }

    fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        let has_ended = eventually(|| {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        assert!(has_ended, "it does not end: {}", self.said());
        status.unwrap()
    }

    /// The end of its log.
    fn said(&self) -> String {
        let log = std::fs::read(self.place.path("log")).unwrap();
        String::from_utf8_lossy(&log[log.len().saturating_sub(4000)..]).into_owned()
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        // It has ended already when all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(place: &Place, settings: &[&str], memory: Option<&MemoryLimit>, ports: [u16; 2]) -> Child {
    let [append, read] = ports.map(|port| format!("127.0.0.1:{port}"));
    let store = place.store();
    let mut arguments = vec!["serve", "--dir", store.to_str().unwrap(), "--append", &append, "--read", &read];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let mut command = place.command(&arguments);
    if let Some(memory) = memory {
        // It goes into the group first, so that all it ever has is counted.
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(memory.processes());
        shell.arg(command.get_program()).args(command.get_args());
        command = shell;
    }
    // What steers tests is no setting of a server.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GESTA_")) {
        command.env_remove(name);
    }
    let log = File::options().append(true).create(true).open(place.path("log")).unwrap();
    let ready = File::create(place.path("ready")).unwrap();
    command.stdin(Stdio::null()).stdout(ready).stderr(log).spawn().unwrap()
}

/// Two ports that nobody listens on, below those that the system gives to whoever connects: one of these could be taken by
/// a client while the server is away.
fn free_ports() -> [u16; 2] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 18_000;
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap();
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    // Relaxed: each number is given out once, whatever else is seen.
    let candidates = std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed) % COUNT);
    let mut free = candidates.map(|number| FIRST + (start + number) % COUNT).filter(is_free);
    [free.next().unwrap(), free.next().unwrap()]
}
