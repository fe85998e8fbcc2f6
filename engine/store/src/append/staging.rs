//! What the sequencer holds under its lock: the group that is being gathered, and what may be added to it.

use super::crowd::Crowd;
use super::slot::Slot;
use super::verdict::Verdict;
use crate::disk::Disk;
use crate::index::{Heads, MemoryIndex};
use crate::log::{Group, Spare};
use crate::sync::Instant;
use gesta_model::{AppendError, Durability, Position};
use std::io;
use std::sync::Arc;

/// An append whose answer depends on the group.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) slot: Arc<Slot>,
    pub(super) verdict: Verdict,
}

/// The next segment, as far as it is there.
pub(super) enum SpareState<D: Disk> {
    /// The keeper is to build it.
    Ordered {
        /// Its number.
        number: u64,
        /// How long it is to be.
        bytes: u64,
    },
    /// The keeper is at it.
    Building,
    /// It can be written.
    Ready(Spare<D>),
    /// The last attempt failed; the next append orders another one.
    Failed {
        /// How long it was to be.
        bytes: u64,
        /// What the disk said.
        cause: Arc<io::Error>,
    },
}

/// Why nothing is taken any more.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    Poisoned(Arc<io::Error>),
    Degraded(String),
    Closed,
}

impl From<Refusal> for AppendError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Poisoned(cause) => Self::Poisoned { cause },
            Refusal::Degraded(damage) => Self::Degraded { damage },
            Refusal::Closed => Self::Closed,
        }
    }
}

/// Everything behind the sequencer's lock.
///
/// Invariant: the staged group fits into the tail segment, or into the spare that is ready. Upheld by the sequencer, which
/// adds nothing else, and by the committer, which takes the spare only together with the group.
pub(super) struct Staging<D: Disk> {
    pub(super) group: Group,
    /// The index of the tail segment, the group's events included.
    pub(super) index: Arc<MemoryIndex>,
    pub(super) heads: Heads,
    pub(super) waiters: Vec<Waiter>,
    /// Somebody waits for the group to be synced.
    pub(super) wants_sync: bool,
    /// Somebody waits for the group to be written.
    pub(super) wants_write: bool,
    /// The memory of the group before, to be used again.
    pub(super) idle_group: Option<Group>,
    pub(super) idle_waiters: Vec<Waiter>,
    /// Somebody is committing; only they may call the log's writer.
    pub(super) is_committing: bool,
    /// Who was there when the last sync ended.
    pub(super) crowd: Option<Crowd>,
    /// Bytes of requests that the tail segment still takes, what is being written apart.
    pub(super) room: u64,
    pub(super) spare: SpareState<D>,
    /// The number of the next segment, and how long it is to be at least.
    pub(super) next_number: u64,
    pub(super) next_bytes: u64,
    pub(super) refusal: Option<Refusal>,
    /// Which segment was cut under the store. Nothing more is taken then; what was taken is committed.
    pub(super) cut: Option<String>,
    /// So many lost pages were looked after.
    pub(super) lost_pages: u64,
    /// When the oldest unsynced byte was staged or written; `None` when all is durable.
    pub(super) unsynced_since: Option<Instant>,
    /// When the last group was committed, and whether a mark has stated since what is durable.
    pub(super) last_commit: Option<Instant>,
    pub(super) is_marked: bool,
    /// The committing thread sleeps without a deadline.
    pub(super) committer_rests: bool,
    /// A segment was sealed, or index files may be missing: the keeper looks.
    pub(super) has_sealed: bool,
    pub(super) is_stopping: bool,
}

impl<D: Disk> Staging<D> {
    /// The first position not yet given out.
    pub(super) fn tail(&self) -> Position {
        self.group.end()
    }

    /// Whether a commit has something to do that somebody waits for.
    pub(super) fn is_awaited(&self) -> bool {
        self.wants_sync || self.wants_write
    }

    /// Notes what a waiter of this durability waits for.
    pub(super) fn want(&mut self, durability: Durability) {
        match durability {
            Durability::Buffered => {}
            Durability::Written => self.wants_write = true,
            Durability::Durable => self.wants_sync = true,
        }
    }
}
