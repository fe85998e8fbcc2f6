//! Two machines, as far as the network goes: a network namespace each, and a line between them.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ScopedJoinHandle;

/// One of the two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Server,
    Client,
}

/// What the line does to packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// How long a packet is on its way.
    pub(super) delay_ms: u32,
    /// How many of a hundred packets to the client are lost.
    pub(super) lost_to_client: u32,
    /// How many of a hundred packets to the server are lost.
    pub(super) lost_to_server: u32,
}

/// Packets since the line was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packets {
    pub(super) carried: u64,
    pub(super) lost: u64,
}

/// The line and its ends; gone with this value.
pub(super) struct Line {
    name: String,
    relay: Child,
    talk: Mutex<Talk>,
}

/// What is said to the relay, and what it answers.
struct Talk {
    /// None, once it was told to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

const RELAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/network/relay.py");
/// Which packets are lost is the same in every run, as far as the packets are.
const SEED: &str = "7";

impl End {
    const ALL: [Self; 2] = [Self::Server, Self::Client];

    /// Where it is on the line.
    pub(super) fn address(self) -> &'static str {
        ["10.83.7.1", "10.83.7.2"][self as usize]
    }

    fn suffix(self) -> &'static str {
        ["server", "client"][self as usize]
    }

    fn other(self) -> Self {
        if self == Self::Server { Self::Client } else { Self::Server }
    }
}

impl Manner {
    /// Everything arrives at once.
    pub(super) const GOOD: Self = Self { delay_ms: 0, lost_to_client: 0, lost_to_server: 0 };
    /// Nothing arrives.
    pub(super) const CUT: Self = Self { lost_to_client: 100, lost_to_server: 100, ..Self::GOOD };
}

impl Line {
    /// A line that does nothing to packets; `None`, with a message, where none can be made.
    pub(super) fn make() -> Option<Self> {
        match Self::try_make() {
            Ok(line) => Some(line),
            Err(why) => {
                let is_due = std::env::var_os("CI").is_some() && rustix::process::geteuid().is_root();
                assert!(!is_due, "in CI, as root, this test may not be skipped: {why}");
                println!("skipped: needs root, `ip`, python3 and /dev/net/tun: {why}");
                None
            }
        }
    }

    fn try_make() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Relaxed: each number is given out once, whatever else is seen.
        let name = format!("gesta-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let spaces = End::ALL.map(|end| format!("{name}-{}", end.suffix()));
        for (made, space) in spaces.iter().enumerate() {
            if let Err(why) = ip(&["netns", "add", space]) {
                spaces[..made].iter().for_each(|space| drop(ip(&["netns", "del", space])));
                return Err(why);
            }
        }
        // It makes both devices in the server's namespace; one of them then goes to the client's.
        let mut relay = Command::new("ip")
            .args(["netns", "exec", &spaces[0], "python3", RELAY, SEED, End::Server.suffix(), End::Client.suffix()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("ip: {error}"))?;
        let talk = Talk { orders: relay.stdin.take(), answers: BufReader::new(relay.stdout.take().unwrap()) };
        let line = Self { name, relay, talk: Mutex::new(talk) };
        if line.talk.lock().unwrap().answer() != "ready" {
            return Err("the relay did not get ready: it says why above".to_owned());
        }
        ip(&["-n", &spaces[0], "link", "set", End::Client.suffix(), "netns", &spaces[1]])?;
        for (end, space) in End::ALL.into_iter().zip(&spaces) {
            ip(&["-n", space, "addr", "add", end.address(), "peer", end.other().address(), "dev", end.suffix()])?;
            ip(&["-n", space, "link", "set", "lo", "up"])?;
            ip(&["-n", space, "link", "set", end.suffix(), "up"])?;
        }
        Ok(line)
    }

    /// Has the line treat packets so from now on; tells what it has done so far.
    pub(super) fn set(&self, manner: Manner) -> Packets {
        let Manner { delay_ms, lost_to_client, lost_to_server } = manner;
        let mut talk = self.talk.lock().unwrap();
        writeln!(talk.orders.as_ref().unwrap(), "{delay_ms} {lost_to_client} {lost_to_server}").unwrap();
        let answer = talk.answer();
        let (carried, lost) = answer.split_once(' ').unwrap_or_else(|| panic!("the relay said {answer:?}"));
        Packets { carried: carried.parse().unwrap(), lost: lost.parse().unwrap() }
    }

    /// Pulls the cable at an end, or puts it back; the other end learns nothing of it.
    pub(super) fn plug(&self, end: End, is_in: bool) {
        let space = format!("{}-{}", self.name, end.suffix());
        ip(&["-n", &space, "link", "set", end.suffix(), if is_in { "up" } else { "down" }]).unwrap();
    }

    /// Does something on one of the machines: sockets, threads and processes that it makes are there as well.
    pub(super) fn on<T: Send>(&self, end: End, act: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| join(scope.spawn(|| self.enter(end, act))))
    }

    /// Moves this thread to one of the machines for good, and does something there.
    pub(super) fn enter<T>(&self, end: End, act: impl FnOnce() -> T) -> T {
        let space = File::open(format!("/run/netns/{}-{}", self.name, end.suffix())).unwrap();
        move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        act()
    }
}

impl Talk {
    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(self.talk.get_mut().unwrap_or_else(PoisonError::into_inner).orders.take());
        let _ = self.relay.wait();
        for end in End::ALL {
            let gone = ip(&["netns", "del", &format!("{}-{}", self.name, end.suffix())]);
            assert!(gone.is_ok() || std::thread::panicking(), "{gone:?}");
        }
    }
}

/// What a thread came to, its panic included.
pub(super) fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output().map_err(|error| format!("ip: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("ip {}: {}", arguments.join(" "), said.trim())) }
}
