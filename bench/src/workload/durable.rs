//! Durable appends by callers who wait.

use super::{Settings, Workload};
use crate::events::Events;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::{Latency, Sample};
use crate::yardstick::{GroupedWriter, ZeroedFile, sync_each};
use gesta::codec::HEADERS_BYTES;
use gesta::{Durability, Store};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// Blocking threads, one event a commit.
#[derive(Debug)]
pub struct DurableThreads {
    settings: Settings,
    thread_count: usize,
}

impl DurableThreads {
    /// So many threads.
    #[must_use]
    pub fn new(settings: &Settings, thread_count: usize) -> Self {
        Self { settings: settings.clone(), thread_count }
    }

    fn append_until(&self, store: &Store, thread: usize, barrier: &Barrier) -> Outcome<Latency> {
        let mut events = Events::starting_at(thread * 7)?;
        let mut latency = Latency::default();
        barrier.wait();
        let start = Instant::now();
        let mut now = start;
        while now - start < self.settings.round {
            store.append(events.request(1, Durability::Durable))?;
            let end = Instant::now();
            latency.add(end - now);
            now = end;
        }
        Ok(latency)
    }
}

impl Workload for DurableThreads {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let file = ZeroedFile::create(place.path())?;
        let request = Events::starting_at(0)?.encoded(1)?;
        let headers = [1; HEADERS_BYTES];
        let sample = if self.thread_count == 1 {
            sync_each(file, 1, self.settings.round, |group| {
                group.extend_from_slice(&headers);
                group.extend_from_slice(&request);
            })?
        } else {
            GroupedWriter::run(file, &request, &headers, self.thread_count, self.settings.round)?
        };
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let barrier = Barrier::new(self.thread_count + 1);
        let (latency, elapsed) = thread::scope(|scope| {
            let (this, store, barrier) = (&*self, &store, &barrier);
            let spawn = |thread| scope.spawn(move || this.append_until(store, thread, barrier));
            let appenders: Vec<_> = (0..self.thread_count).map(spawn).collect();
            barrier.wait();
            let start = Instant::now();
            let mut latency = Latency::default();
            for appender in appenders {
                latency.merge(&appender.join().map_err(|_| "an appending thread panicked")??);
            }
            Outcome::Ok((latency, start.elapsed()))
        })?;
        let event_count = store.reader().head().0;
        assert_eq!(event_count, latency.count(), "every receipt stands for one readable event");
        store.close()?;
        place.remove()?;
        Ok(Sample { event_count, elapsed, latency })
    }
}

/// One thread, many events a commit.
#[derive(Debug)]
pub struct DurableBatches {
    settings: Settings,
    events_each: usize,
}

impl DurableBatches {
    /// So many events a commit.
    #[must_use]
    pub fn new(settings: &Settings, events_each: usize) -> Self {
        Self { settings: settings.clone(), events_each }
    }
}

impl Workload for DurableBatches {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let file = ZeroedFile::create(place.path())?;
        let request = Events::starting_at(0)?.encoded(self.events_each)?;
        let sample = sync_each(file, self.events_each as u64, self.settings.round, |group| {
            group.extend_from_slice(&[1; HEADERS_BYTES]);
            group.extend_from_slice(&request);
        })?;
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let mut events = Events::starting_at(0)?;
        let mut latency = Latency::default();
        let start = Instant::now();
        let mut now = start;
        while now - start < self.settings.round {
            store.append(events.request(self.events_each, Durability::Durable))?;
            let end = Instant::now();
            latency.add(end - now);
            now = end;
        }
        let event_count = store.reader().head().0;
        assert_eq!(event_count, latency.count() * self.events_each as u64, "every receipt stands for its events");
        store.close()?;
        place.remove()?;
        Ok(Sample { event_count, elapsed: now - start, latency })
    }
}
