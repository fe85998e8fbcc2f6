//! One pass of the scrub at no bounded rate, against a checksum over the same bytes.

use super::{Settings, Workload};
use crate::events::Events;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::Sample;
use crate::yardstick::{hash_views, log_files};
use gesta::disk::{Access, Disk, DiskFile, RealDisk, RealView};
use gesta::{Durability, Options, ScrubOptions, ScrubRate, Store, Upkeep};
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// The sealed segments and index files of a store, in the system's cache: the yard-stick's maps keep them there.
pub struct Scrub {
    store: Store,
    views: Vec<RealView>,
    event_count: u64,
    /// Goes after the store and the views.
    _place: Place,
}

impl Scrub {
    /// Fills a store.
    pub fn new(settings: &Settings) -> Outcome<Self> {
        let (place, store) = settings.new_store()?;
        let event_count = settings.replay_event_count;
        Events::fill(&store, event_count, Durability::Written)?;
        // Closing writes the index files that are missing.
        store.close()?;
        let scrub = ScrubOptions { rate: ScrubRate::new(NonZeroU64::MAX), interval: Duration::ZERO };
        let store =
            Store::open(place.path(), Options { scrub: Some(scrub), upkeep: Upkeep::Inline, ..Options::default() })?;
        let mut files = log_files(place.path(), event_count)?;
        let all_bytes: u64 = files.iter().map(|file| file.written_bytes).sum();
        // The tail, which is not scrubbed.
        let tail = files.pop().expect("there is a segment");
        let sealed_bytes = all_bytes - tail.written_bytes;
        let view = |file: &crate::yardstick::LogFile| file.file.view(0..file.written_bytes);
        let mut views = files.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        let disk = RealDisk::open(place.path())?;
        for name in disk.list()?.iter().filter(|name| name.ends_with(".idx") || name.ends_with(".sum")) {
            let file = disk.open(name, Access::Read)?;
            views.push(file.view(0..file.len()?)?);
        }
        let mut scrub = Self { store, views, event_count: event_count * sealed_bytes / all_bytes, _place: place };
        scrub.yardstick()?;
        scrub.gesta()?;
        Ok(scrub)
    }
}

impl Workload for Scrub {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let start = Instant::now();
        hash_views(&self.views);
        Ok(Sample::without_latency(self.event_count, start.elapsed()))
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let status = || self.store.scrub().expect("the store is scrubbed");
        let before = status();
        let start = Instant::now();
        while status().passes == before.passes {
            self.store.scrub_on().expect("the store is scrubbed");
        }
        let elapsed = start.elapsed();
        let (after, bytes) = (status(), self.views.iter().map(|view| view.len() as u64).sum::<u64>());
        assert!(after.bytes - before.bytes >= bytes, "a pass reads every byte: {after:?}, {bytes}");
        assert!(after.damage.is_empty() && after.index_files_damaged == 0, "nothing is damaged: {after:?}");
        Ok(Sample::without_latency(self.event_count, elapsed))
    }
}
