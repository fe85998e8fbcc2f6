//! Appends that do not wait for a sync.

use super::{Settings, Workload};
use crate::events::Events;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::Sample;
use crate::yardstick::{ZeroedFile, pwrite_each, pwrite_staged};
use gesta::Durability;
use std::time::Instant;

/// One thread, some events a call, `Written` or `Buffered`.
#[derive(Debug)]
pub struct Unsynced {
    settings: Settings,
    durability: Durability,
    events_each: usize,
}

impl Unsynced {
    /// So many events a call.
    #[must_use]
    pub fn new(settings: &Settings, durability: Durability, events_each: usize) -> Self {
        Self { settings: settings.clone(), durability, events_each }
    }
}

impl Workload for Unsynced {
    /// A written event is in the system's cache when its call returns: alone, it takes a `pwrite` of its own. All others
    /// are staged.
    fn yardstick(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let file = ZeroedFile::create(place.path())?;
        let request = Events::starting_at(0)?.encoded(self.events_each)?;
        let sample = match (self.durability, self.events_each) {
            (Durability::Written, 1) => pwrite_each(file, &request, self.settings.round),
            (_, count) => pwrite_staged(file, &request, count as u64, self.settings.round),
        }?;
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        const LOOK_EVERY: usize = 64;
        let (place, store) = self.settings.new_store()?;
        let mut events = Events::starting_at(0)?;
        let mut call_count = 0;
        let start = Instant::now();
        while start.elapsed() < self.settings.round {
            // A look at the clock would cost a good part of a buffered call.
            for _ in 0..LOOK_EVERY {
                store.append(events.request(self.events_each, self.durability))?;
                call_count += 1;
            }
        }
        let elapsed = start.elapsed();
        store.sync()?;
        let event_count = store.reader().head().0;
        assert_eq!(event_count, (call_count * self.events_each) as u64, "every receipt stands for its events");
        store.close()?;
        place.remove()?;
        Ok(Sample::without_latency(event_count, elapsed))
    }
}
