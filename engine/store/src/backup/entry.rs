//! One file of a backup.
//!
//! ```text
//!   0  kind u32        1 segment, 2 tail, 3 index, 4 summary
//!   4  generation u32
//!   8  first u64       the number of the segment, or of the first one that a summary covers
//!  16  last u64        the number of the last one
//!  24  length u64      of the file in the backup
//!  32  digest 16       XXH3-128 of the whole file in the backup
//!  48  seal 16         the fingerprint of the last segment's seal; 0 of a tail, or when it is not known
//! ```

use crate::log::{
    BACKUP_BEGUN, BACKUPS, LOCK, UNFINISHED, index_name, parse_index_name, parse_segment_name, parse_summary_name,
    segment_name, summary_name,
};

/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = 64;
const TAIL: &str = ".tail";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A sealed segment.
    Segment = 1,
    /// The beginning of the segment that was the tail.
    Tail = 2,
    /// The index of a segment.
    Index = 3,
    /// A summary of the index files of several segments.
    Summary = 4,
}

/// A file of a backup, and what it was when it was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) generation: u32,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) length: u64,
    pub(super) digest: u128,
    pub(super) seal: u128,
}

impl Entry {
    /// The file's name in the backup. A tail's has its length, so that a longer one stands beside it until it is replaced.
    pub(super) fn name(&self) -> String {
        match self.kind {
            Kind::Tail => tail_name(self.first, self.generation, self.length),
            _ => self.store_name(),
        }
    }

    /// The file's name in a store.
    pub(super) fn store_name(&self) -> String {
        match self.kind {
            Kind::Segment | Kind::Tail => segment_name(self.first, self.generation),
            Kind::Index => index_name(self.first, self.generation),
            Kind::Summary => summary_name(self.first, self.last),
        }
    }

    /// Whether nothing depends on it: a store makes it anew.
    pub(super) fn is_derived(&self) -> bool {
        matches!(self.kind, Kind::Index | Kind::Summary)
    }

    /// Whether it serves as well as another: index files of the same segments do, whenever they were made.
    pub(super) fn is_as_good_as(&self, other: &Self) -> bool {
        let is_known = self.seal != 0 && other.seal != 0;
        let place = |entry: &Self| (entry.kind, entry.generation, entry.first, entry.last);
        place(self) == place(other)
            && (self.is_derived() || self.length == other.length)
            && (self.seal == other.seal || !is_known)
    }

    pub(super) fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[0..4].copy_from_slice(&(self.kind as u32).to_le_bytes());
        bytes[4..8].copy_from_slice(&self.generation.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.first.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.last.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.length.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.digest.to_le_bytes());
        bytes[48..64].copy_from_slice(&self.seal.to_le_bytes());
        bytes
    }

    /// `None` for a kind that is not known.
    pub(super) fn decode(bytes: &[u8; ENTRY_BYTES]) -> Option<Self> {
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let u128_at = |at: usize| u128::from_le_bytes(bytes[at..at + 16].try_into().expect("sixteen bytes"));
        let kind = match u32_at(0) {
            1 => Kind::Segment,
            2 => Kind::Tail,
            3 => Kind::Index,
            4 => Kind::Summary,
            _ => return None,
        };
        Some(Self {
            kind,
            generation: u32_at(4),
            first: u64_at(8),
            last: u64_at(16),
            length: u64_at(24),
            digest: u128_at(32),
            seal: u128_at(48),
        })
    }
}

fn tail_name(number: u64, generation: u32, length: u64) -> String {
    format!("{number:010}-{generation:04}-{length:012}{TAIL}")
}

fn is_tail_name(name: &str) -> bool {
    let parse = || {
        let mut parts = name.strip_suffix(TAIL)?.split('-');
        let parsed = tail_name(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(parsed == name)
    };
    parse() == Some(true)
}

/// Whether a backup makes files of this name for what it holds.
pub(super) fn is_content_name(name: &str) -> bool {
    let finished = name.strip_suffix(UNFINISHED).unwrap_or(name);
    parse_segment_name(finished).is_some()
        || parse_index_name(finished).is_some()
        || parse_summary_name(finished).is_some()
        || is_tail_name(finished)
}

/// Whether a backup makes files of this name to say what it is.
pub(super) fn is_head_name(name: &str) -> bool {
    let finished = name.strip_suffix(UNFINISHED).unwrap_or(name);
    name == LOCK || BACKUPS.contains(&finished) || finished == BACKUP_BEGUN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes_of_an_entry() {
        let entry =
            Entry { kind: Kind::Tail, generation: 0, first: 2, last: 2, length: 0x1234, digest: 3 << 64, seal: 5 };
        let mut expected = [0; ENTRY_BYTES];
        (expected[0], expected[8], expected[16]) = (2, 2, 2);
        (expected[24], expected[25], expected[40], expected[48]) = (0x34, 0x12, 3, 5);
        assert_eq!(entry.encode(), expected);
        assert_eq!(Entry::decode(&expected), Some(entry));
        expected[0] = 5;
        assert_eq!(Entry::decode(&expected), None);
    }

    #[test]
    fn a_tail_has_its_length_in_its_name_and_no_other_name_is_one() {
        let name = tail_name(2, 0, 4660);
        assert_eq!(name, "0000000002-0000-000000004660.tail");
        assert!(is_content_name(&name) && is_content_name("0000000002-0000.log.new"));
        for other in ["2-0-4660.tail", "notes.tail", "0000000002-0000.tail", "notes.txt", "manifest", "backup"] {
            assert!(!is_content_name(other), "{other}");
        }
        assert!(is_head_name("backup.copy") && is_head_name("backup.begun.new") && !is_head_name("manifest"));
    }
}
