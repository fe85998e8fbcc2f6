//! Appends alone, and beside others that keep the server busy.

use super::child::Child;
use super::clients::{Pattern, runtime};
use super::misbehaviour::Misbehaviour;
use super::server::ServedStore;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::workload::{Settings, Workload};
use gesta_client::Address;
use tokio::runtime::Runtime;

/// Who is there beside those who append.
#[derive(Clone, Copy, Debug)]
pub(super) enum Others {
    /// So many connections that read everything without pause.
    Replaying(usize),
    /// Clients that are a burden.
    Misbehaving(Misbehaviour),
}

impl Others {
    /// Has them begin, in a process of their own; returns when they are at it.
    fn start(self, address: &Address) -> Outcome<Child> {
        let address = address.to_string();
        let (child, _) = match self {
            Self::Replaying(count) => Child::start(&["--replay", &address, "--replay-count", &count.to_string()]),
            Self::Misbehaving(how) => Child::start(&["--misbehave", &how.name(), "--at", &address]),
        }?;
        Ok(child)
    }
}

/// Appends over a few connections to a store with a history.
pub(super) struct Beside {
    settings: Settings,
    pattern: Pattern,
    others: Others,
    runtime: Runtime,
    server: ServedStore,
    event_count: u64,
}

impl Beside {
    pub(super) fn new(settings: &Settings, pattern: Pattern, others: Others) -> Outcome<Self> {
        let event_count = settings.replay_event_count;
        let server = ServedStore::start(&settings.directory, event_count)?;
        Ok(Self { settings: settings.clone(), pattern, others, runtime: runtime()?, server, event_count })
    }

    fn append(&mut self) -> Outcome<Sample> {
        let sample = self.runtime.block_on(self.pattern.append(&self.server, self.settings.round))?;
        self.event_count += sample.event_count + self.pattern.warm_up_event_count();
        Ok(sample)
    }

    fn check(&self) -> Outcome<()> {
        let counted = self.runtime.block_on(self.server.count())?;
        assert_eq!(counted, self.event_count, "every receipt stands for its events, and every event for a receipt");
        Ok(())
    }
}

impl Workload for Beside {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let sample = self.append()?;
        self.check()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let others = self.others.start(self.server.address())?;
        let sample = self.append();
        let done = others.end()?;
        assert!(done.first().is_some_and(|done| *done > 0), "the others went on beside the appends");
        self.check()?;
        sample
    }
}
