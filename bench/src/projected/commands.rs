//! Commands from end to end: load, decide, append durable, beside the bare append of the same event.

use super::account::{AccountEvent, Bank, Deposit, fill};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::{Latency, Sample};
use crate::workload::{Settings, Workload};
use gesta::{AppendRequest, Store};
use gesta_cqrs::{CommandHandler, SnapshotOutcome, SnapshotPolicy, encode};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// A snapshot is saved once so many events lie beyond the last one.
const SNAPSHOT_EVERY_EVENTS: u64 = 100;

/// Commands of some threads, each with streams of its own.
pub(super) struct Commands {
    settings: Settings,
    thread_count: u32,
    stream_count: u32,
    has_snapshots: bool,
    store: Store,
    _place: Place,
}

impl Commands {
    /// Streams of so many events each, which lie in the log in turns.
    pub(super) fn new(settings: &Settings, thread_count: u32, length: u32, has_snapshots: bool) -> Outcome<Self> {
        let stream_count = (settings.commanded_event_count / (thread_count * length)).max(1);
        let (place, store) = settings.new_store()?;
        let accounts = 0..thread_count * stream_count;
        let turn = |cents: u32| accounts.clone().map(move |account| AccountEvent::Deposited { account, cents });
        fill(&store, (0..length).flat_map(turn))?;
        let settings = settings.clone();
        let commands = Self { settings, thread_count, stream_count, has_snapshots, store, _place: place };
        if has_snapshots && u64::from(length) >= SNAPSHOT_EVERY_EVENTS {
            // The first snapshot of each stream is no part of what is measured.
            let handler = commands.handler();
            accounts.into_iter().try_for_each(|account| deposit(&handler, account))?;
        }
        Ok(commands)
    }

    fn handler(&self) -> CommandHandler<&Store, Bank> {
        let handler = CommandHandler::new(&self.store);
        if self.has_snapshots {
            handler.snapshots(SnapshotPolicy::new("bank", 1).every_events(SNAPSHOT_EVERY_EVENTS))
        } else {
            handler
        }
    }

    /// Does the same on all threads for a round, with one account of a thread after another.
    fn run(&self, work: impl Fn(u32) -> Outcome<()> + Sync) -> Outcome<Sample> {
        let barrier = Barrier::new(self.thread_count as usize + 1);
        let on_thread = |thread: u32| {
            let mut accounts = (thread * self.stream_count..(thread + 1) * self.stream_count).cycle();
            let mut latency = Latency::default();
            barrier.wait();
            let start = Instant::now();
            let mut now = start;
            while now - start < self.settings.round {
                work(accounts.next().unwrap_or_default())?;
                let end = Instant::now();
                latency.add(end - now);
                now = end;
            }
            Outcome::Ok(latency)
        };
        thread::scope(|scope| {
            let on_thread = &on_thread;
            let spawn = |thread| scope.spawn(move || on_thread(thread));
            let threads: Vec<_> = (0..self.thread_count).map(spawn).collect();
            barrier.wait();
            let start = Instant::now();
            let mut latency = Latency::default();
            for thread in threads {
                latency.merge(&thread.join().map_err(|_| "a commanding thread panicked")??);
            }
            Ok(Sample { event_count: latency.count(), elapsed: start.elapsed(), latency })
        })
    }
}

impl Workload for Commands {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let sample = self.run(|account| {
            store.append(AppendRequest::new().event(encode(&AccountEvent::Deposited { account, cents: 1 })?))?;
            Ok(())
        })?;
        store.close()?;
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let handler = self.handler();
        let before = self.store.reader().head().0;
        let sample = self.run(|account| deposit(&handler, account))?;
        let appended_count = self.store.reader().head().0 - before;
        assert_eq!(appended_count, sample.event_count, "every command has led to one event");
        Ok(sample)
    }
}

/// Deposits to an account. A snapshot that is due must be saved.
fn deposit(handler: &CommandHandler<&Store, Bank>, account: u32) -> Outcome<()> {
    let handled = handler.handle(&Deposit { account, cents: 1 }).map_err(|error| format!("{error:?}"))?;
    match handled.snapshot {
        SnapshotOutcome::Failed(error) => Err(error.to_string().into()),
        SnapshotOutcome::NotDue | SnapshotOutcome::Saved => Ok(()),
    }
}

/// Whether the store keeps snapshots.
pub(super) fn keeps_snapshots(settings: &Settings) -> Outcome<bool> {
    let (place, store) = settings.new_store()?;
    let handler = CommandHandler::<_, Bank>::new(&store).snapshots(SnapshotPolicy::new("bank", 1).every_events(1));
    let mut is_saved = false;
    for cents in 0..2 {
        let handled = handler.handle(&Deposit { account: 0, cents }).map_err(|error| format!("{error:?}"))?;
        is_saved = matches!(handled.snapshot, SnapshotOutcome::Saved);
    }
    store.close()?;
    place.remove()?;
    Ok(is_saved)
}
