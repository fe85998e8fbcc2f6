//! How a store is opened.

use crate::commit_observer::CommitObserver;
use crate::environment::Environment;
use crate::scrub::{ScrubObserver, ScrubRate};
use gesta_model::Limits;
use gesta_model::codec::HEADERS_BYTES;
use gesta_model::limits::BATCH_BODY_BYTES_MAX;
use std::sync::Arc;
use std::time::Duration;

/// The settings of one opening of a store. None of them changes what is on disk already.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the store takes.
    pub limits: Limits,
    /// Length of the first segment file; each next one is twice as long, up to `segment_bytes_max`.
    pub first_segment_bytes: u64,
    /// Length of the longest segment files.
    pub segment_bytes_max: u64,
    /// How far written may be ahead of durable: bounds what a weak durability can lose, and what recovery doubts.
    pub unsynced_bytes_max: u64,
    /// How long weak appends stay unsynced at most.
    pub sync_interval: Duration,
    /// Idle time after which a mark is written that states what is durable.
    pub mark_after: Duration,
    /// Bytes that may wait in memory for the next commit; an append beyond waits for room.
    pub staging_bytes_max: usize,
    /// `Buffered` appends are written when this many bytes have gathered.
    pub buffer_bytes: usize,
    /// Memory that the index of the tail segment may take; a segment that outgrows it is sealed early.
    pub index_bytes_max: usize,
    /// Bytes on disk that snapshots may take; at half of it, the older ones make room.
    pub snapshot_bytes_max: u64,
    /// Whether a store that is made by this opening finds events by their ids ([`Reader::event`](crate::Reader::event)).
    /// Costs some 60 bytes an event. An existing store keeps what it was made with.
    pub index_event_ids: bool,
    /// Who does the work between appends.
    pub upkeep: Upkeep,
    /// Whether what was sealed is read again in the background, to find damage before a reader does. `None`: it is not; a
    /// library does not read the disk of its program through unasked.
    pub scrub: Option<ScrubOptions>,
    /// Clock and randomness.
    pub environment: Environment,
    /// Who is told of every commit, if anybody.
    pub commit_observer: Option<Arc<dyn CommitObserver>>,
    /// Who is told what the scrub finds, if anybody.
    pub scrub_observer: Option<Arc<dyn ScrubObserver>>,
}

/// How a store is scrubbed while it is open. A store that is degraded is not: what is damaged there is to be restored first.
#[derive(Clone, Debug)]
pub struct ScrubOptions {
    /// How many bytes a second are read, by all stores that are given clones of it together.
    pub rate: ScrubRate,
    /// How long after the beginning of a pass the next one begins, or as soon as the pass has ended; the first one begins when
    /// the store is opened.
    pub interval: Duration,
}

/// Who builds spare segments, commits what tickets wait for, writes marks and scrubs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// Two threads of the store's own.
    Threads,
    /// The calls of the program, on one thread: for tests that must come out the same every time.
    Inline,
}

impl Default for Options {
    /// 4 MiB to 256 MiB segments, 32 MiB and one second unsynced at most, default limits.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            first_segment_bytes: 4 << 20,
            segment_bytes_max: 256 << 20,
            unsynced_bytes_max: 32 << 20,
            sync_interval: Duration::from_secs(1),
            mark_after: Duration::from_millis(1),
            staging_bytes_max: 8 << 20,
            buffer_bytes: 256 << 10,
            index_bytes_max: 128 << 20,
            snapshot_bytes_max: 256 << 20,
            index_event_ids: false,
            upkeep: Upkeep::Threads,
            scrub: None,
            environment: Environment::default(),
            commit_observer: None,
            scrub_observer: None,
        }
    }
}

impl Options {
    /// The same options, nothing wider than the format allows: what is staged becomes one batch.
    pub(crate) fn within_format(self) -> Self {
        let staging_bytes_max = self.staging_bytes_max.min(BATCH_BODY_BYTES_MAX);
        Self { staging_bytes_max, limits: self.limits.within_format(), ..self }
    }

    /// The largest body that one batch may get: a whole staging, or one request that fills it alone.
    pub(crate) fn batch_body_bytes_max(&self) -> usize {
        self.staging_bytes_max.max(self.limits.request_bytes_max)
    }

    /// `unsynced_bytes_max`, wide enough for the largest batch with a mark and a seal around it.
    pub(crate) fn unsynced_bytes_max(&self) -> u64 {
        let batch = (self.batch_body_bytes_max() + 16 * HEADERS_BYTES) as u64;
        self.unsynced_bytes_max.max(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A group larger than the format's largest batch was written all the same, and no reader believed its length.
    #[test]
    fn no_option_lets_a_batch_grow_beyond_the_format() {
        let mut options = Options { staging_bytes_max: usize::MAX, ..Options::default() };
        options.limits.request_bytes_max = usize::MAX;
        let options = options.within_format();
        assert_eq!(options.batch_body_bytes_max(), BATCH_BODY_BYTES_MAX);
        assert!(options.unsynced_bytes_max() > BATCH_BODY_BYTES_MAX as u64);
    }
}
