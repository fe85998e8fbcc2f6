//! Appends alone, and beside clients that read everything again and again.

use super::clients::{Pattern, runtime};
use super::replayers::Replayers;
use super::server::ServedStore;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::workload::{Settings, Workload};
use tokio::runtime::Runtime;

/// How many connections read without pause.
pub(super) const REPLAYER_COUNT: usize = 4;

/// Appends over a few connections to a store with a history.
pub(super) struct Planes {
    settings: Settings,
    pattern: Pattern,
    runtime: Runtime,
    server: ServedStore,
    event_count: u64,
}

impl Planes {
    pub(super) fn new(settings: &Settings, pattern: Pattern) -> Outcome<Self> {
        let event_count = settings.replay_event_count;
        let server = ServedStore::start(&settings.directory, event_count)?;
        Ok(Self { settings: settings.clone(), pattern, runtime: runtime()?, server, event_count })
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

impl Workload for Planes {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let sample = self.append()?;
        self.check()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let replayers = Replayers::start(self.server.address(), REPLAYER_COUNT)?;
        let sample = self.append();
        let replayed = replayers.end()?;
        assert!(replayed > 0, "the replays went on beside the appends");
        self.check()?;
        sample
    }
}
