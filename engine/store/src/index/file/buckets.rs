//! The way from a key to its row: rows of one kind stand in buckets by the first bits of their hashes.
//!
//! The section holds, for each kind that has rows, 2^bits + 1 row numbers u32: where each bucket begins, and where the
//! last one ends. Hashes are spread evenly, so a bucket holds four to eight rows, and a lookup reads two row numbers that
//! stand beside each other and a few rows that stand beside each other.

use super::rejected::Damaged;
use crate::index::key::{Key, Kind};
use std::ops::Range;

pub(super) const KIND_COUNT: usize = Kind::ALL.len();
/// No kind has more rows than a u32 counts, so none needs more bits.
const BITS_MAX: u32 = 30;

/// The rows of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KindRow {
    /// Its rows, numbered over all kinds.
    pub(super) first_row: u64,
    pub(super) row_count: u64,
    /// How many bits of a hash choose the bucket.
    bits: u32,
    /// Where in the section its numbers begin, counted in numbers.
    first_entry: u64,
}

/// The rows of all kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KindRows {
    kinds: [KindRow; KIND_COUNT],
    row_count: u64,
    entry_count: u64,
}

impl KindRows {
    /// From the row count and the bits of each kind; `None` when these cannot be.
    pub(super) fn new(stated: [(u32, u32); KIND_COUNT]) -> Option<Self> {
        let mut all = Self { kinds: [KindRow::default(); KIND_COUNT], row_count: 0, entry_count: 0 };
        for (kind, (row_count, bits)) in all.kinds.iter_mut().zip(stated) {
            if bits > BITS_MAX || (row_count == 0 && bits != 0) {
                return None;
            }
            let row_count = u64::from(row_count);
            *kind = KindRow { first_row: all.row_count, row_count, bits, first_entry: all.entry_count };
            all.row_count += row_count;
            all.entry_count += kind.entry_count();
        }
        u32::try_from(all.row_count).is_ok().then_some(all)
    }

    /// With buckets of four to eight rows.
    pub(super) fn of_counts(row_counts: [u32; KIND_COUNT]) -> Option<Self> {
        Self::new(row_counts.map(|rows| (rows, rows.checked_ilog2().unwrap_or(0).saturating_sub(2))))
    }

    /// What `new` takes.
    pub(super) fn stated(&self) -> impl Iterator<Item = (u32, u32)> {
        let count = |rows| u32::try_from(rows).expect("all rows together are counted by a u32");
        self.kinds.iter().map(move |kind| (count(kind.row_count), kind.bits))
    }

    pub(super) fn of(&self, kind: Kind) -> KindRow {
        self.kinds[kind as usize - 1]
    }

    /// Rows of all kinds.
    pub(super) fn row_count(&self) -> u64 {
        self.row_count
    }

    /// Numbers in the section.
    pub(super) fn entry_count(&self) -> u64 {
        self.entry_count
    }
}

impl KindRow {
    /// Which of the section's numbers says where the key's bucket begins; the one after it says where it ends.
    pub(super) fn entry_of(&self, key: Key) -> u64 {
        self.first_entry + u64::from(bucket_of(hash_start(key), self.bits))
    }

    /// The rows of a bucket, from what its two numbers say.
    pub(super) fn rows(&self, begin: u32, end: u32) -> Result<Range<u64>, Damaged> {
        let (begin, end) = (u64::from(begin), u64::from(end));
        if self.first_row <= begin && begin <= end && end <= self.first_row + self.row_count {
            Ok(begin..end)
        } else {
            Err(Damaged("a bucket of it lies outside"))
        }
    }

    /// The numbers of this kind, from the hash starts of its rows in order.
    pub(super) fn entries<'h>(&self, hash_starts: &'h [u32]) -> impl Iterator<Item = u32> + use<'h> {
        assert_eq!(hash_starts.len() as u64, self.row_count, "one hash a row");
        let KindRow { first_row, bits, .. } = *self;
        let bucket_count = self.entry_count().saturating_sub(1);
        let mut row = 0;
        (0..self.entry_count()).map(move |bucket| {
            while row < hash_starts.len()
                && (bucket == bucket_count || u64::from(bucket_of(hash_starts[row], bits)) < bucket)
            {
                row += 1;
            }
            u32::try_from(first_row + row as u64).expect("all rows together are counted by a u32")
        })
    }

    fn entry_count(&self) -> u64 {
        if self.row_count == 0 { 0 } else { (1 << self.bits) + 1 }
    }
}

/// The first 32 bits of a key's hash.
pub(super) fn hash_start(key: Key) -> u32 {
    let bytes = key.0.to_be_bytes();
    u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]])
}

fn bucket_of(hash_start: u32, bits: u32) -> u32 {
    // A shift by all 32 bits would overflow, and no bits choose the only bucket.
    if bits == 0 { 0 } else { hash_start >> (u32::BITS - bits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_lies_in_the_bucket_of_its_key() {
        for row_count in [1_u32, 2, 7, 8, 9, 1000] {
            let mut keys: Vec<Key> = (0..row_count)
                .map(|number| Key((4 << Key::HASH_BITS) | (u128::from(number.wrapping_mul(0x9e37_79b9)) << 88)))
                .collect();
            keys.sort();
            let rows = KindRows::of_counts([0, 3, 0, row_count, 0, 0]).unwrap();
            let kind = rows.of(Kind::Tag);
            let starts: Vec<u32> = keys.iter().copied().map(hash_start).collect();
            let entries: Vec<u32> = kind.entries(&starts).collect();
            assert_eq!(entries.len() as u64 + rows.of(Kind::Category).entry_count(), rows.entry_count());
            for (row, key) in keys.iter().enumerate() {
                let entry = usize::try_from(kind.entry_of(*key) - rows.of(Kind::Category).entry_count()).unwrap();
                let bucket = kind.rows(entries[entry], entries[entry + 1]).unwrap();
                assert!(bucket.contains(&(3 + row as u64)), "row {row} of {row_count}");
            }
            assert_eq!(*entries.last().unwrap(), 3 + row_count);
        }
    }

    #[test]
    fn buckets_hold_four_to_eight_rows_on_average() {
        for row_count in [8, 100, 4096, 1_000_000] {
            let rows = KindRows::of_counts([row_count, 0, 0, 0, 0, 0]).unwrap();
            let average = f64::from(row_count) / (rows.entry_count() - 1) as f64;
            assert!((4.0..8.0).contains(&average), "{row_count}: {average}");
        }
    }

    #[test]
    fn counts_and_buckets_that_cannot_be_are_refused() {
        assert!(KindRows::new([(u32::MAX, 3), (1, 0), (0, 0), (0, 0), (0, 0), (0, 0)]).is_none());
        assert!(KindRows::new([(5, 31), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]).is_none());
        assert!(KindRows::new([(0, 3), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]).is_none());
        let kind = KindRows::of_counts([5, 5, 0, 0, 0, 0]).unwrap().of(Kind::Category);
        assert!(kind.rows(4, 6).is_err() && kind.rows(7, 6).is_err() && kind.rows(6, 11).is_err());
        assert_eq!(kind.rows(6, 10), Ok(6..10));
    }
}
