//! The index as both sides hold it: the set of parts, and what changes it.

use super::fetch::segment_of;
use super::key::{Key, Keyring, Kind};
use super::memory::MemoryIndex;
use super::part::{Part, Reading};
use super::set::{Head, IndexSet, Span};
use crate::disk::Disk;
use crate::log::Log;
use crate::sync::ArcSwap;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use gesta_model::{Damage, Position, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;

/// Everything derived from one log.
pub(crate) struct Index<D: Disk> {
    pub(crate) keyring: Keyring,
    pub(crate) set: ArcSwap<IndexSet<D>>,
    /// Held by whoever writes index files.
    pub(super) upkeep: Mutex<()>,
    rebuilt: Mutex<VecDeque<u64>>,
    /// A file was found damaged since the keeper looked last.
    has_lost: AtomicBool,
    log: Arc<Log<D>>,
}

impl<D: Disk> Index<D> {
    /// The index of a log, of which nothing is known yet.
    pub(crate) fn new(log: Arc<Log<D>>, indexes_event_ids: bool) -> Self {
        Self {
            keyring: Keyring::new(&log.origin.key.0).with_event_ids(indexes_event_ids),
            set: ArcSwap::new(Arc::new(IndexSet::empty())),
            upkeep: Mutex::default(),
            rebuilt: Mutex::default(),
            has_lost: AtomicBool::default(),
            log,
        }
    }

    /// Begins the part of the segment that begins at a position.
    pub(crate) fn begin_part(&self, number: u64, base: Position) -> Arc<MemoryIndex> {
        let memory = Arc::new(MemoryIndex::new(base));
        let part = Arc::new(Part::in_memory(number, Arc::clone(&memory)));
        self.set.rcu(|set| set.with(Arc::clone(&part)));
        memory
    }

    /// Whether a file was found damaged since this was asked last.
    pub(crate) fn take_lost(&self) -> bool {
        // Relaxed: a hint to look, which pairs with nothing.
        self.has_lost.load(Ordering::Relaxed) && self.has_lost.swap(false, Ordering::Relaxed)
    }

    /// How many segments the index speaks of.
    pub(crate) fn part_count(&self) -> usize {
        self.set.load().parts.len()
    }

    /// How many segments of a set are sealed: all but the tail, which may not exist yet, and may be missing where the power failed
    /// after a seal.
    pub(super) fn sealed_count(&self, set: &IndexSet<D>) -> u64 {
        let is_sealed =
            |part: &Arc<Part<D>>| segment_of(&self.log, part.number).is_some_and(|segment| segment.seal().is_some());
        let has_tail = set.parts.last().is_some_and(|part| !is_sealed(part));
        set.parts.len() as u64 - u64::from(has_tail)
    }

    /// The key of a stream.
    pub(crate) fn stream_key(&self, stream: &str) -> Key {
        self.keyring.key(Kind::Stream, stream.as_bytes())
    }

    /// Where a stream stands, of what lies below a position.
    pub(crate) fn head_of(&self, stream: Key, below: Position) -> Result<Option<Head>, Damage> {
        self.set.load().head_of(&self.reading(), stream, below)
    }

    /// Where the batch begins that holds a position below `below`, and its first position.
    pub(crate) fn batch_at(&self, position: Position, below: Position) -> Option<(u64, Position)> {
        let span = self.set.load().span_at(position, below)?;
        if span.part.base == position {
            return None;
        }
        let ordinal = u32::try_from(position.since(span.part.base)).ok()?;
        let place = span.part.ask(&self.reading(), span.end, |source| source.batch_of(ordinal))?;
        Some((place.offset, span.position(place.ordinal)))
    }

    /// The first position below `below` that the store took at a time or later; `below` when there is none.
    pub(crate) fn first_since(&self, time: Timestamp, below: Position) -> Position {
        let set = self.set.load();
        let spans: Vec<Span<D>> = set.spans(Position::START..below).collect();
        let reading = self.reading();
        let begins_before = |span: &Span<D>| {
            let first = span.part.ask(&reading, span.end, |source| source.batch_of(0));
            first.is_some_and(|place| place.recorded_at < time)
        };
        let after = spans.partition_point(begins_before);
        let Some(span) = after.checked_sub(1).map(|before| &spans[before]) else { return Position::START };
        let first = span.part.ask(&reading, span.end, |source| source.first_batch_since(time));
        first.map_or(span.end, |place| span.position(place.ordinal)).min(below)
    }

    pub(super) fn log(&self) -> &Log<D> {
        &self.log
    }

    /// What a lost part is made anew with.
    pub(crate) fn reading(&self) -> Reading<'_, D> {
        Reading {
            log: &self.log,
            keyring: &self.keyring,
            set: &self.set,
            rebuilt: &self.rebuilt,
            has_lost: &self.has_lost,
        }
    }
}
