//! The two headers of a batch: what one commit writes, all or nothing.
//!
//! ```text
//!      local envelope, which never travels
//!  0   check u64            SipHash-1-3 of bytes 8..80 under the store's secret
//!  8   previous u64         the check of the batch before: a chain through the whole log
//! 16   durable u64          every position below it was synced before this batch was written
//! 24   incarnation u32      the life of the log that wrote it
//! 28   zero u32
//!      portable header, the same on every copy
//! 32   base u64             the position of the first event
//! 40   reign u64            of the one writer; 0 without replication
//! 48   index u64            place in a replicated log; 0 without replication
//! 56   recorded_at i64      when the store took it, nanoseconds since the Unix epoch; never going back
//! 64   count u32            events
//! 68   body_bytes u32       a multiple of 8
//! 72   body_crc u32
//! 76   kind u8              1 events, 2 mark, 3 seal, 4 control
//! 77   flags u8             1 closing: the mark of a clean close
//! 78   zero u16
//! 80   body
//! ```
//!
//! The secret never leaves the store, so no payload can look like a batch of it. `check` covers both headers; the body
//! is covered by `body_crc`, which they hold.

use super::bytes::{read_i64, read_u16, read_u32, read_u64, write_i64, write_u32, write_u64};
use crate::limits::{BATCH_BODY_BYTES_MAX, BATCH_EVENTS_MAX};
use crate::{Incarnation, Position, Timestamp};
use siphasher::sip::SipHasher13;
use std::fmt;
use std::hash::Hasher;
use std::ops::Range;
use thiserror::Error;

const CHECK: usize = 0;
const PREVIOUS: usize = CHECK + 8;
const DURABLE: usize = PREVIOUS + 8;
const INCARNATION: usize = DURABLE + 8;
const ENVELOPE_ZERO: usize = INCARNATION + 4;
const BASE: usize = ENVELOPE_ZERO + 4;
const REIGN: usize = BASE + 8;
const INDEX: usize = REIGN + 8;
const RECORDED_AT: usize = INDEX + 8;
const COUNT: usize = RECORDED_AT + 8;
const BODY_BYTES: usize = COUNT + 4;
const BODY_CRC: usize = BODY_BYTES + 4;
const KIND: usize = BODY_CRC + 4;
const FLAGS: usize = KIND + 1;
const PORTABLE_ZERO: usize = FLAGS + 1;
/// Bytes of a batch before its body: the envelope and the portable header.
pub const HEADERS_BYTES: usize = PORTABLE_ZERO + 2;
const _: () = assert!(HEADERS_BYTES == 80 && BASE == 32);

/// Bytes of the portable header.
pub const PORTABLE_BYTES: usize = HEADERS_BYTES - BASE;

/// The flag of a mark that a clean close wrote: nothing was lost after it.
pub const CLOSING: u8 = 1;

/// The secret of one store, which keys the checks of its batches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StoreKey(pub [u8; 16]);

impl fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StoreKey(secret)")
    }
}

impl StoreKey {
    /// The check of a batch's headers; `covered` is everything after the check itself.
    fn check(&self, covered: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(covered);
        hasher.finish()
    }
}

/// What a batch carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchKind {
    /// The events of one group of requests.
    Events,
    /// Nothing: it states what is durable.
    Mark,
    /// The end of a segment.
    Seal,
    /// A decision that every copy must come to alike.
    Control,
}

/// Why bytes are not the headers of a batch of this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BatchError {
    /// Nothing was ever written here.
    #[error("no batch was written here")]
    Unwritten,
    /// The check does not match: damaged, of another store, or no batch at all.
    #[error("batch header check does not match")]
    Check,
    /// The check matches, but the fields are of a later version.
    #[error("batch header has fields this version does not know")]
    Unknown,
}

/// Both headers of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The check of the batch before.
    pub previous: u64,
    /// Every position below it was synced before this batch was written.
    pub durable: Position,
    /// The life of the log that wrote it.
    pub incarnation: Incarnation,
    /// The position of the first event; for a batch without events, of the next one.
    pub base: Position,
    /// One writer's reign; 0 without replication.
    pub reign: u64,
    /// Place in a replicated log; 0 without replication.
    pub index: u64,
    /// When the store took the batch.
    pub recorded_at: Timestamp,
    /// How many events it holds.
    pub count: u32,
    /// Bytes of the body.
    pub body_bytes: u32,
    /// The checksum of the body.
    pub body_crc: u32,
    /// What it carries.
    pub kind: BatchKind,
    /// [`CLOSING`] or 0.
    pub flags: u8,
}

impl BatchHeader {
    /// Reads the headers and asks their check; returns them with that check.
    ///
    /// After `Ok`, the lengths are true and within the hard limits.
    pub fn decode(bytes: &[u8; HEADERS_BYTES], key: &StoreKey) -> Result<(Self, u64), BatchError> {
        let check = read_u64(bytes, CHECK);
        if check == 0 && bytes.iter().all(|byte| *byte == 0) {
            return Err(BatchError::Unwritten);
        }
        if key.check(&bytes[PREVIOUS..]) != check {
            return Err(BatchError::Check);
        }
        let header = Self::read(bytes)?;
        if read_u32(bytes, ENVELOPE_ZERO) == 0 { Ok((header, check)) } else { Err(BatchError::Unknown) }
    }

    /// Reads the portable header of a copy that travelled. Nothing of the local envelope comes with it.
    ///
    /// No secret vouches for it: its lengths are bounded by the hard limits alone, until the body's checksum has matched.
    pub fn decode_portable(portable: &[u8; PORTABLE_BYTES]) -> Result<Self, BatchError> {
        let mut bytes = [0; HEADERS_BYTES];
        bytes[BASE..].copy_from_slice(portable);
        Self::read(&bytes)
    }

    /// The fields of headers whose check was asked, or is not there.
    fn read(bytes: &[u8; HEADERS_BYTES]) -> Result<Self, BatchError> {
        let kind = match bytes[KIND] {
            1 => BatchKind::Events,
            2 => BatchKind::Mark,
            3 => BatchKind::Seal,
            4 => BatchKind::Control,
            _ => return Err(BatchError::Unknown),
        };
        let header = Self {
            previous: read_u64(bytes, PREVIOUS),
            durable: Position(read_u64(bytes, DURABLE)),
            incarnation: Incarnation(read_u32(bytes, INCARNATION)),
            base: Position(read_u64(bytes, BASE)),
            reign: read_u64(bytes, REIGN),
            index: read_u64(bytes, INDEX),
            recorded_at: Timestamp(read_i64(bytes, RECORDED_AT)),
            count: read_u32(bytes, COUNT),
            body_bytes: read_u32(bytes, BODY_BYTES),
            body_crc: read_u32(bytes, BODY_CRC),
            kind,
            flags: bytes[FLAGS],
        };
        let is_known = read_u16(bytes, PORTABLE_ZERO) == 0 && header.is_consistent();
        if is_known { Ok(header) } else { Err(BatchError::Unknown) }
    }

    /// Writes the headers to the head of `out` and returns their check.
    pub fn encode(&self, key: &StoreKey, out: &mut [u8; HEADERS_BYTES]) -> u64 {
        debug_assert!(self.is_consistent(), "{self:?}");
        out.fill(0);
        write_u64(out, PREVIOUS, self.previous);
        write_u64(out, DURABLE, self.durable.0);
        write_u32(out, INCARNATION, self.incarnation.0);
        write_u64(out, BASE, self.base.0);
        write_u64(out, REIGN, self.reign);
        write_u64(out, INDEX, self.index);
        write_i64(out, RECORDED_AT, self.recorded_at.0);
        write_u32(out, COUNT, self.count);
        write_u32(out, BODY_BYTES, self.body_bytes);
        write_u32(out, BODY_CRC, self.body_crc);
        out[KIND] = match self.kind {
            BatchKind::Events => 1,
            BatchKind::Mark => 2,
            BatchKind::Seal => 3,
            BatchKind::Control => 4,
        };
        out[FLAGS] = self.flags;
        let check = key.check(&out[PREVIOUS..]);
        write_u64(out, CHECK, check);
        check
    }

    /// The portable part of encoded headers.
    #[must_use]
    pub fn portable(headers: &[u8; HEADERS_BYTES]) -> [u8; PORTABLE_BYTES] {
        let mut portable = [0; PORTABLE_BYTES];
        portable.copy_from_slice(&headers[BASE..]);
        portable
    }

    /// The positions of its events, half-open.
    #[must_use]
    pub fn positions(&self) -> Range<Position> {
        self.base..self.end()
    }

    /// The first position after its events.
    #[must_use]
    pub fn end(&self) -> Position {
        self.base.plus(u64::from(self.count))
    }

    /// Bytes of the whole batch, headers included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        HEADERS_BYTES + self.body_bytes as usize
    }

    fn is_consistent(&self) -> bool {
        let has_events = self.count > 0;
        has_events == (self.kind == BatchKind::Events)
            && self.count as usize <= BATCH_EVENTS_MAX
            && self.body_bytes as usize <= BATCH_BODY_BYTES_MAX
            && self.body_bytes.is_multiple_of(8)
            && self.base.0.checked_add(u64::from(self.count)).is_some()
            && self.durable <= self.base
            && self.flags & !CLOSING == 0
    }
}
