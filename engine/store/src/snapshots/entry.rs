//! The bytes of a snapshot file.
//!
//! ```text
//!  file    0  magic 8          89 'G' 'S' 'N' 'P' 0d 0a 1a
//!          8  version u32      1
//!         12  zero u32
//!         16  number u64       the one in the file's name
//!         24  store_id 16
//!         40  check u64        of the bytes before
//!         48  entries, each at a multiple of 8
//!
//!  entry   0  kind u32         1 a snapshot; 2 a drop: what stands before it and begins with its name is void
//!          4  schema u32       0 in a drop
//!          8  position u64     everything below it is folded in; 0 in a drop
//!         16  witness_id 16    the id of the event before `position`; zeros when there is none
//!         32  witness_time i64 when the store took that event; 0 when there is none
//!         40  data_bytes u64   0 in a drop
//!         48  data_check u64   of the data
//!         56  name_bytes u32   of the key, or of the beginning of keys that is dropped
//!         60  zero u32
//!         64  check u64        of the check before (the file's, for the first entry), the bytes above, and the name
//!         72  name, then zeros up to a multiple of 8
//!          .  data, then zeros up to a multiple of 8
//! ```
//!
//! Checks are SipHash-1-3 under the store's secret. Each entry's check covers the one before it, so what an earlier, torn end of the
//! file left behind is never taken for what follows. The file ends where no entry is.

use gesta_model::codec::StoreKey;
use gesta_model::limits::SNAPSHOT_KEY_BYTES_MAX;
use gesta_model::{Position, Timestamp, Uuid};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

const MAGIC: [u8; 8] = *b"\x89GSNP\r\n\x1a";
const VERSION: u32 = 1;
const SNAPSHOT: u32 = 1;
const DROP: u32 = 2;
const CHECK_BYTES: usize = 8;
/// Bytes of a file before its first entry.
pub(super) const FILE_HEAD_BYTES: usize = 48;
/// Bytes of an entry before its name.
pub(super) const ENTRY_HEAD_BYTES: usize = 72;

/// The last event that a snapshot holds, as it stood when the snapshot was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Witness {
    /// Its id.
    pub(crate) id: Uuid,
    /// When the store took it.
    pub(crate) recorded_at: Timestamp,
}

/// What an entry says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) is_drop: bool,
    pub(super) schema: u32,
    pub(super) position: Position,
    pub(super) witness: Witness,
    pub(super) data_bytes: u64,
    pub(super) data_check: u64,
    pub(super) name_bytes: u32,
}

/// What is in a file's name and head.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) store_id: Uuid,
    pub(super) key: StoreKey,
}

impl Origin {
    /// The head of a file, and the check that its first entry continues.
    pub(super) fn file_head(&self, number: u64) -> ([u8; FILE_HEAD_BYTES], u64) {
        let mut head = [0; FILE_HEAD_BYTES];
        head[..8].copy_from_slice(&MAGIC);
        head[8..12].copy_from_slice(&VERSION.to_le_bytes());
        head[16..24].copy_from_slice(&number.to_le_bytes());
        head[24..40].copy_from_slice(self.store_id.as_bytes());
        let check = self.check(&[&head[..40]]);
        head[40..].copy_from_slice(&check.to_le_bytes());
        (head, check)
    }

    /// A keyed hash of some parts, one after another.
    pub(super) fn check(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key.0);
        parts.iter().for_each(|part| hasher.write(part));
        hasher.finish()
    }
}

impl Entry {
    /// Bytes of the whole entry.
    pub(super) fn bytes(&self) -> u64 {
        let name = u64::from(self.name_bytes).next_multiple_of(8);
        ENTRY_HEAD_BYTES as u64 + name + self.data_bytes.next_multiple_of(8)
    }

    /// Where in the entry the data begins.
    pub(super) fn data_offset(&self) -> u64 {
        ENTRY_HEAD_BYTES as u64 + u64::from(self.name_bytes).next_multiple_of(8)
    }

    /// The entry's bytes with its name and data, and its check; `before` is the check that it continues.
    pub(super) fn encode(&self, origin: &Origin, before: u64, name: &str, data: &[u8]) -> (Vec<u8>, u64) {
        let mut bytes = Vec::with_capacity(ENTRY_HEAD_BYTES + name.len() + data.len() + 16);
        bytes.extend(if self.is_drop { DROP } else { SNAPSHOT }.to_le_bytes());
        bytes.extend(self.schema.to_le_bytes());
        bytes.extend(self.position.0.to_le_bytes());
        bytes.extend(self.witness.id.as_bytes());
        bytes.extend(self.witness.recorded_at.0.to_le_bytes());
        bytes.extend(self.data_bytes.to_le_bytes());
        bytes.extend(self.data_check.to_le_bytes());
        bytes.extend(u64::from(self.name_bytes).to_le_bytes());
        let check = origin.check(&[&before.to_le_bytes(), &bytes, name.as_bytes()]);
        bytes.extend(check.to_le_bytes());
        debug_assert_eq!(bytes.len(), ENTRY_HEAD_BYTES);
        for part in [name.as_bytes(), data] {
            bytes.extend(part);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        (bytes, check)
    }

    /// Reads the head of an entry, whose check is still to be looked at; `None` when it is none.
    pub(super) fn decode(head: &[u8; ENTRY_HEAD_BYTES]) -> Option<Self> {
        let u32_at = |at: usize| head[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let u64_at = |at: usize| head[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let kind = u32_at(0).filter(|kind| [SNAPSHOT, DROP].contains(kind))?;
        let entry = Self {
            is_drop: kind == DROP,
            schema: u32_at(4)?,
            position: Position(u64_at(8)?),
            witness: Witness {
                id: Uuid::from_bytes(*head[16..].first_chunk()?),
                recorded_at: Timestamp(u64_at(32)?.cast_signed()),
            },
            data_bytes: u64_at(40)?,
            data_check: u64_at(48)?,
            name_bytes: u32_at(56)?,
        };
        (entry.name_bytes as usize <= SNAPSHOT_KEY_BYTES_MAX && u32_at(60)? == 0).then_some(entry)
    }

    /// The entry's check, when it and its name continue `before`.
    pub(super) fn verify(origin: &Origin, before: u64, head: &[u8; ENTRY_HEAD_BYTES], name: &[u8]) -> Option<u64> {
        let (content, written) = head.split_at(ENTRY_HEAD_BYTES - CHECK_BYTES);
        let check = origin.check(&[&before.to_le_bytes(), content, name]);
        (check.to_le_bytes() == *written).then_some(check)
    }
}
