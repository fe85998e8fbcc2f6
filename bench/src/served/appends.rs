//! Durable appends over TCP, beside as many tickets in flight in one process.

use super::clients::{Pattern, runtime};
use super::server::ServedStore;
use crate::outcome::Outcome;
use crate::sample::Sample;
use crate::workload::{Settings, TicketsInFlight, Workload};

/// Durable appends over a number of connections.
#[derive(Debug)]
pub(super) struct ServedAppends {
    settings: Settings,
    pattern: Pattern,
    embedded: TicketsInFlight,
}

impl ServedAppends {
    pub(super) fn new(settings: &Settings, pattern: Pattern) -> Self {
        let ticket_count = pattern.connection_count * pattern.requests_each;
        let embedded = TicketsInFlight::new(settings, ticket_count).events_each(pattern.events_each);
        Self { settings: settings.clone(), pattern, embedded }
    }
}

impl Workload for ServedAppends {
    fn yardstick(&mut self) -> Outcome<Sample> {
        self.embedded.gesta()
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let server = ServedStore::start(&self.settings.directory, 0)?;
        let runtime = runtime()?;
        let sample = runtime.block_on(self.pattern.append(&server, self.settings.round))?;
        let counted = runtime.block_on(server.count())?;
        let appended = sample.event_count + self.pattern.warm_up_event_count();
        assert_eq!(counted, appended, "every receipt stands for its events, and every event for a receipt");
        drop(runtime);
        server.remove()?;
        Ok(sample)
    }
}
