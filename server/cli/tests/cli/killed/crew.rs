//! The other processes: this test once more, each with a part to play until it is dismissed.

use super::{caller, follower};
use crate::support::wait;
use gesta::Position;
use gesta_client::{Address, BlockingClient, ClientOptions};
use gesta_conformance::history::{Call, History};
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// How many processes append.
const CALLERS: u64 = 8;

const NUMBER: &str = "GESTA_TEST_MEMBER";
const EVENT_BYTES: &str = "GESTA_TEST_EVENT_BYTES";
const ADDRESS: &str = "GESTA_TEST_ADDRESS";
const NOTES: &str = "GESTA_TEST_NOTES";

/// Eight callers and a follower.
pub(super) struct Crew {
    callers: Vec<Member>,
    follower: Member,
}

/// A process.
struct Member {
    process: Option<Child>,
    notes: PathBuf,
}

/// What a member was given.
pub(super) struct Part {
    pub(super) number: u64,
    /// How many bytes most events have at most.
    pub(super) event_bytes: u64,
    address: Address,
    notes: File,
    dismissal: Receiver<Position>,
}

impl Crew {
    /// Starts everybody as this test, `module::function`, with clients of the server at an address; they leave their notes
    /// in a directory.
    pub(super) fn start(test: &str, event_bytes: u64, address: &str, directory: &Path) -> Self {
        let start = |number: u64| {
            let notes = directory.join(format!("notes-{number}"));
            Member::start(
                test,
                [(NUMBER, &number.to_string()), (EVENT_BYTES, &event_bytes.to_string()), (ADDRESS, address)],
                notes,
            )
        };
        Self { callers: (0..CALLERS).map(start).collect(), follower: start(CALLERS) }
    }

    /// Ends the callers, and adds what they wrote to a history.
    pub(super) fn dismiss_callers(&mut self, history: &mut History) {
        for caller in &mut self.callers {
            caller.dismiss(Position::START);
        }
        for caller in &mut self.callers {
            caller.join(history);
        }
    }

    /// Ends the follower once it has come to the head, and adds what it wrote.
    pub(super) fn dismiss_follower(&mut self, head: Position, history: &mut History) {
        self.follower.dismiss(head);
        self.follower.join(history);
    }
}

impl Member {
    fn start(test: &str, part: [(&str, &str); 3], notes: PathBuf) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]);
        command.envs(part).env(NOTES, &notes);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { process: Some(command.spawn().unwrap()), notes }
    }

    /// Tells it to end, once it has come to a head.
    fn dismiss(&mut self, head: Position) {
        let input = self.process.as_mut().unwrap().stdin.take();
        // Who has failed does not listen any more; that is found out in the end.
        let _ = writeln!(input.unwrap(), "{}", head.0);
    }

    fn join(&mut self, history: &mut History) {
        let run = wait(self.process.take().unwrap());
        assert_eq!(run.status, 0, "{}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("1 passed"), "the member ran no test of that name: {}", run.stdout);
        history.read_from(BufReader::new(File::open(&self.notes).unwrap())).unwrap();
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Part {
    /// The part of this process, if it is a member.
    fn of_this_process() -> Option<Self> {
        let variable = |name| std::env::var(name).ok();
        let number = variable(NUMBER)?.parse().unwrap();
        let event_bytes = variable(EVENT_BYTES)?.parse().unwrap();
        let address = variable(ADDRESS)?.parse().unwrap();
        let notes = File::options().append(true).create_new(true).open(variable(NOTES)?).unwrap();
        let (dismiss, dismissal) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap();
            // Who started this one has gone when there is no line: dropping the sender tells.
            if let Ok(head) = line.trim_end().parse() {
                dismiss.send(Position(head)).unwrap();
            }
        });
        Some(Self { number, event_bytes, address, notes, dismissal })
    }

    pub(super) fn connect(&self, options: ClientOptions) -> BlockingClient {
        BlockingClient::connect(self.address.clone(), options).unwrap()
    }

    /// The head to come to, once it is time to end.
    pub(super) fn dismissed(&self) -> Option<Position> {
        match self.dismissal.try_recv() {
            Ok(head) => Some(head),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("nobody is there any more to dismiss this process"),
        }
    }

    /// Writes a call down: it is in the hands of the system when this returns.
    pub(super) fn note(&mut self, call: &Call) {
        self.notes.write_all(call.to_line().as_bytes()).unwrap();
    }
}

/// Plays a part, if this process was started for one.
pub(super) fn is_played() -> bool {
    let Some(part) = Part::of_this_process() else { return false };
    if part.number < CALLERS {
        caller::play(part);
    } else {
        follower::play(part);
    }
    true
}

/// A moment, by a clock that all processes share and nobody sets.
pub(super) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}
