//! Every event of a log, verified and decoded, against a checksum over the same bytes.

use super::{Settings, Workload};
use crate::events::{DATA_BYTES, Events};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::Sample;
use crate::yardstick::{hash_views, log_files};
use gesta::disk::{DiskFile, RealView};
use gesta::{Durability, Read, Store};
use std::hint::black_box;
use std::time::Instant;

/// A full replay of a store whose files are in the system's cache.
pub struct Replay {
    store: Store,
    views: Vec<RealView>,
    event_count: u64,
    /// Goes after the store and the views.
    _place: Place,
}

impl Replay {
    /// Fills a store and goes over it once, so that both sides find their maps populated.
    pub fn new(settings: &Settings) -> Outcome<Self> {
        let (place, store) = settings.new_store()?;
        let event_count = settings.replay_event_count;
        Events::fill(&store, event_count, Durability::Written)?;
        let files = log_files(place.path(), event_count)?;
        let view = |file: &crate::yardstick::LogFile| file.file.view(0..file.written_bytes);
        let views = files.iter().map(view).collect::<Result<_, _>>()?;
        let mut replay = Self { store, views, event_count, _place: place };
        replay.yardstick()?;
        replay.gesta()?;
        Ok(replay)
    }
}

impl Workload for Replay {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let start = Instant::now();
        hash_views(&self.views);
        Ok(Sample::without_latency(self.event_count, start.elapsed()))
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let (mut event_count, mut data_bytes) = (0, 0);
        let start = Instant::now();
        let mut cursor = self.store.read(Read::all());
        while let Some(record) = cursor.next_record() {
            data_bytes += black_box(record?.data().bytes()).len();
            event_count += 1;
        }
        let elapsed = start.elapsed();
        assert_eq!(event_count, self.event_count, "a replay passes by every event");
        assert_eq!(data_bytes as u64, event_count * DATA_BYTES as u64, "and by all of its data");
        Ok(Sample::without_latency(event_count, elapsed))
    }
}
