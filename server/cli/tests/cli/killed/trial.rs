//! Everybody at work while something is done to the server, and judged by the log in the end.

use super::crew::Crew;
use super::memory_limit::MemoryLimit;
use super::served::Served;
use gesta::{Durability, EventReader as _, Position, Read};
use gesta_client::{BlockingClient, ClientOptions};
use gesta_conformance::history::{History, Log, Summary};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is done, and what must outlive it.
pub(super) struct Trial {
    /// The test that this is, `module::function`: it is run once more in every process of the crew.
    pub(super) test: &'static str,
    /// Settings of the server beside the usual ones.
    pub(super) settings: &'static [&'static str],
    /// The memory that the server may have; as much as it likes if none.
    pub(super) memory: Option<MemoryLimit>,
    /// How many bytes most events have at most.
    pub(super) event_bytes: u64,
    /// What was acknowledged as so safe must be there in the end.
    pub(super) kept: Durability,
}

/// Trials are held one after the other: together they would have too little of the machine to get anything done.
static TURN: Mutex<()> = Mutex::new(());

/// Waits until no other trial is held.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trial {
    /// Of a test, `module::function`: a server as it is, and what outlives the death of its process.
    pub(super) fn of(test: &'static str) -> Self {
        Self { test, settings: &[], memory: None, event_bytes: 300, kept: Durability::Written }
    }

    /// Lets the crew work while `act` does something to the server, and demands that one order explains everything that it
    /// was told.
    pub(super) fn run(&self, act: impl FnOnce(&mut Served<'_>)) -> Summary {
        let _turn = turn();
        let mut served = Served::start(self.settings, self.memory.as_ref());
        let mut crew = Crew::start(self.test, self.event_bytes, &served.address(), &served.place().path(""));
        act(&mut served);
        let mut history = History::new();
        crew.dismiss_callers(&mut history);
        if self.kept > Durability::Buffered {
            served.kill_and_start();
            served.wait_until_ready();
        } else {
            served.end_and_start();
        }
        let log = read_log(&served);
        crew.dismiss_follower(Position(log.len() as u64), &mut history);
        let summary = history.check(&log, self.kept).unwrap_or_else(|anomalies| {
            let shown: Vec<String> = anomalies.iter().take(10).map(ToString::to_string).collect();
            panic!("{} anomalies, such as:\n{}", anomalies.len(), shown.join("\n"))
        });
        served.end();
        let store = served.place().store().join("default");
        served.place().run(&["verify", "--deep", "--json", "--store", store.to_str().unwrap()]).json();
        summary
    }
}

fn read_log(served: &Served<'_>) -> Log {
    let client = BlockingClient::connect(served.address().parse().unwrap(), ClientOptions::default()).unwrap();
    Log::read(&mut client.read(Read::all()).unwrap()).unwrap()
}
