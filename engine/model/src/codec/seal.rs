//! The seal: the body of the last batch of a segment, after which nothing in the file changes.
//!
//! ```text
//!  0  batch_count u64         batches before the seal
//!  8  event_count u64
//! 16  first_recorded_at i64
//! 24  last_recorded_at i64
//! 32  written_bytes u64       where in the file the seal's batch begins
//! 40  zero u64
//! 48  digest 16               XXH3-128 over the portable headers of all batches before the seal, in order
//! ```
//!
//! A segment's successor carries the XXH3-128 of these 64 bytes in its header.

use super::bytes::{read_i64, read_u64, read_u128, write_i64, write_u64, write_u128};
use crate::Timestamp;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

const BATCH_COUNT: usize = 0;
const EVENT_COUNT: usize = BATCH_COUNT + 8;
const FIRST_RECORDED_AT: usize = EVENT_COUNT + 8;
const LAST_RECORDED_AT: usize = FIRST_RECORDED_AT + 8;
const WRITTEN_BYTES: usize = LAST_RECORDED_AT + 8;
const ZERO: usize = WRITTEN_BYTES + 8;
const DIGEST: usize = ZERO + 8;
/// Bytes of a seal's body.
pub const SEAL_BODY_BYTES: usize = DIGEST + 16;
const _: () = assert!(SEAL_BODY_BYTES == 64);

/// What a sealed segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Batches before the seal.
    pub batch_count: u64,
    /// Events of the segment.
    pub event_count: u64,
    /// When the store took its first batch.
    pub first_recorded_at: Timestamp,
    /// When the store took its last batch.
    pub last_recorded_at: Timestamp,
    /// Where in the file the seal's batch begins.
    pub written_bytes: u64,
    /// XXH3-128 over the portable headers of all batches before the seal.
    pub digest: u128,
}

impl Seal {
    /// Reads a seal's body; any bytes are one, the batch's checksum says whether they are true.
    #[must_use]
    pub fn decode(bytes: &[u8; SEAL_BODY_BYTES]) -> Self {
        Self {
            batch_count: read_u64(bytes, BATCH_COUNT),
            event_count: read_u64(bytes, EVENT_COUNT),
            first_recorded_at: Timestamp(read_i64(bytes, FIRST_RECORDED_AT)),
            last_recorded_at: Timestamp(read_i64(bytes, LAST_RECORDED_AT)),
            written_bytes: read_u64(bytes, WRITTEN_BYTES),
            digest: read_u128(bytes, DIGEST),
        }
    }

    /// The seal's body.
    #[must_use]
    pub fn encode(&self) -> [u8; SEAL_BODY_BYTES] {
        let mut bytes = [0; SEAL_BODY_BYTES];
        write_u64(&mut bytes, BATCH_COUNT, self.batch_count);
        write_u64(&mut bytes, EVENT_COUNT, self.event_count);
        write_i64(&mut bytes, FIRST_RECORDED_AT, self.first_recorded_at.0);
        write_i64(&mut bytes, LAST_RECORDED_AT, self.last_recorded_at.0);
        write_u64(&mut bytes, WRITTEN_BYTES, self.written_bytes);
        write_u128(&mut bytes, DIGEST, self.digest);
        bytes
    }

    /// What the next segment's header keeps of this seal.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        xxh3_128(&self.encode())
    }
}

/// The running digest of a segment that is being written or read in order.
#[derive(Clone, Default)]
pub struct SealDigest {
    hasher: Xxh3,
}

impl SealDigest {
    /// Adds the portable header of the next batch.
    pub fn add(&mut self, portable_header: &[u8]) {
        self.hasher.update(portable_header);
    }

    /// The digest of everything added so far.
    #[must_use]
    pub fn value(&self) -> u128 {
        self.hasher.digest128()
    }
}

impl std::fmt::Debug for SealDigest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SealDigest({:#034x})", self.value())
    }
}
