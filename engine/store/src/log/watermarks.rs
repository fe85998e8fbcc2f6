//! How far the log reaches: positions that only grow, and a place to wait for them to grow.

use crate::sabotage::{Bug, has};
use crate::sync::Instant;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use crate::sync::{Condvar, Mutex};
use crossbeam_utils::CachePadded;
use gesta_model::Position;

/// Invariant: readable <= written. Upheld by the one writer, which calls [`Watermarks::publish`].
///
/// On one node `durable` and `committed` are the same position as `readable`; with replication `committed` will be
/// what a quorum has, and `readable` follows it.
#[derive(Debug, Default)]
pub(crate) struct Watermarks {
    readable: CachePadded<AtomicU64>,
    written: CachePadded<AtomicU64>,
    sleepers: AtomicUsize,
    gate: Mutex<()>,
    risen: Condvar,
}

impl Watermarks {
    /// Both watermarks at one position.
    pub(crate) fn new(position: Position) -> Self {
        let watermarks = Self::default();
        watermarks.written.store(position.0, Ordering::Relaxed);
        watermarks.readable.store(position.0, Ordering::Relaxed);
        watermarks
    }

    /// Every position below it may be shown to readers.
    pub(crate) fn readable(&self) -> Position {
        // Acquire: pairs with the Release in `publish`; the bytes of every position below are in place.
        Position(self.readable.load(Ordering::Acquire))
    }

    /// Every position below it is in the operating system's cache, where a power cut may still take it.
    pub(crate) fn written(&self) -> Position {
        // Acquire: pairs with the Release in `publish`.
        Position(self.written.load(Ordering::Acquire))
    }

    /// Lets readers see further. Called by the one writer, after the bytes are in place.
    pub(crate) fn publish(&self, written: Position, readable: Position) {
        debug_assert!(readable <= written && self.readable.load(Ordering::Relaxed) <= readable.0);
        // Release: pairs with the Acquire in `written` and `readable`.
        let release = if has(Bug::PublishRelaxed) { Ordering::Relaxed } else { Ordering::Release };
        self.written.store(written.0, release);
        self.readable.store(readable.0, release);
        // Pairs with the fence in `wait_beyond`: either the sleeper sees the new position, or we see the sleeper.
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::Relaxed) > 0 {
            drop(self.gate.lock());
            self.risen.notify_all();
        }
    }

    /// Waits until `readable` is beyond `position` or the deadline, if there is one, has come.
    pub(crate) fn wait_beyond(&self, position: Position, deadline: Option<Instant>) {
        if self.readable() > position {
            return;
        }
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        // Pairs with the fence in `publish`.
        fence(Ordering::SeqCst);
        let mut gate = self.gate.lock();
        let mut sleeps_unasked = has(Bug::LoseWakeUp);
        while std::mem::take(&mut sleeps_unasked) || self.readable() <= position {
            match deadline {
                None => self.risen.wait(&mut gate),
                Some(deadline) if self.risen.wait_until(&mut gate, deadline).timed_out() => break,
                Some(_) => {}
            }
        }
        drop(gate);
        self.sleepers.fetch_sub(1, Ordering::Relaxed);
    }
}
