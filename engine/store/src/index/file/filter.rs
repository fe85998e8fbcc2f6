//! A binary fuse filter over all keys: says "not here" of almost every key that is not, by three bytes.
//!
//! Thomas Mueller Graf and Daniel Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters" (2022). Some 9 bits a
//! key; one in 256 absent keys passes. Building is a library's work. Reading is ten lines and stands here, so that only
//! the three blocks that are looked at need to be checked first, and so that the bytes of the format are written down:
//!
//! ```text
//!  hash  = murmur3's finishing mix of (key folded to 64 bits + seed)
//!  h0    = (hash * segment_count_length) >> 64
//!  h1    = (h0 + segment_length)     ^ ((hash >> 18) mod segment_length)
//!  h2    = (h0 + 2 * segment_length) ^ (hash mod segment_length)
//!  maybe = low byte of (hash ^ (hash >> 32))  ==  byte[h0] ^ byte[h1] ^ byte[h2]
//! ```

use super::rejected::Damaged;
use crate::index::key::Key;
use xorf::BinaryFuse8;

/// Below so many keys a lookup without a filter is as fast.
const KEYS_MIN: usize = 256;

/// What is needed to read a filter's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilterShape {
    pub(super) seed: u64,
    /// A power of two.
    pub(super) segment_length: u32,
    /// How many places `h0` has; a multiple of `segment_length`.
    pub(super) segment_count_length: u32,
}

impl FilterShape {
    /// Whether a filter of so many bytes has every place that can be asked for, and no more.
    pub(super) fn validate(&self, length: u64) -> Result<(), Damaged> {
        let (segment, count) = (u64::from(self.segment_length), u64::from(self.segment_count_length));
        let is_right = segment.is_power_of_two() && count > 0 && count % segment == 0 && count + 2 * segment == length;
        if is_right { Ok(()) } else { Err(Damaged("its filter has a wrong shape")) }
    }

    /// The three bytes to look at, and what they come to for a key that may be there.
    pub(super) fn probe(&self, key: Key) -> ([u64; 3], u8) {
        let hash = mix(fold(key).wrapping_add(self.seed));
        let length = u64::from(self.segment_length);
        let h0 = ((u128::from(hash) * u128::from(self.segment_count_length)) >> 64) as u64;
        let h1 = (h0 + length) ^ ((hash >> 18) & (length - 1));
        let h2 = (h0 + 2 * length) ^ (hash & (length - 1));
        ([h0, h1, h2], (hash ^ (hash >> 32)).to_le_bytes()[0])
    }
}

/// The filter of some folded keys; `None` where none is worth its bytes.
pub(super) fn build(mut folded: Vec<u64>) -> Option<(FilterShape, Box<[u8]>)> {
    if folded.len() < KEYS_MIN {
        return None;
    }
    folded.sort_unstable();
    // Two keys may fold to the same number; the filter needs it once.
    folded.dedup();
    // Fails, if ever, by bad luck a thousand times over; then the file does without.
    let filter = BinaryFuse8::try_from(&folded).ok()?;
    let shape = FilterShape {
        seed: filter.descriptor.seed,
        segment_length: filter.descriptor.segment_length,
        segment_count_length: filter.descriptor.segment_count_length,
    };
    Some((shape, filter.fingerprints))
}

/// A key in 64 bits; both halves are evenly spread below the kind.
pub(super) fn fold(key: Key) -> u64 {
    ((key.0 ^ (key.0 << 64)) >> 64) as u64
}

fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    number = (number ^ (number >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ (number >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::key::{Keyring, Kind};
    use xorf::Filter as _;

    fn keys(kind: Kind, count: usize) -> Vec<Key> {
        let keyring = Keyring::new(&[3; 16]);
        (0..count).map(|number| keyring.key(kind, &number.to_le_bytes())).collect()
    }

    fn may_hold(shape: &FilterShape, bytes: &[u8], key: Key) -> bool {
        let (places, expected) = shape.probe(key);
        places.iter().fold(0, |xor, place| xor ^ bytes[usize::try_from(*place).unwrap()]) == expected
    }

    #[test]
    fn every_key_passes_and_few_others_do() {
        for count in [256, 1000, 50_000] {
            let (shape, bytes) = build(keys(Kind::Stream, count).into_iter().map(fold).collect()).unwrap();
            assert_eq!(shape.validate(bytes.len() as u64), Ok(()));
            assert!(keys(Kind::Stream, count).iter().all(|key| may_hold(&shape, &bytes, *key)));
            // The same names of another kind are other keys.
            let passed = keys(Kind::Type, 20_000).iter().filter(|key| may_hold(&shape, &bytes, **key)).count();
            assert!(passed < 200, "{passed} of 20000 absent keys pass");
        }
    }

    #[test]
    fn the_bytes_are_read_as_their_maker_reads_them() {
        let folded: Vec<u64> = keys(Kind::Tag, 3000).into_iter().map(fold).collect();
        let maker = BinaryFuse8::try_from(&folded).unwrap();
        let (shape, bytes) = build(folded).unwrap();
        for key in keys(Kind::Request, 20_000) {
            assert_eq!(may_hold(&shape, &bytes, key), maker.contains(&fold(key)));
        }
    }

    #[test]
    fn small_sets_do_without_and_doubled_keys_do_no_harm() {
        assert!(build((0..255).collect()).is_none());
        assert!(build((0..1000).map(|number| number / 2).collect()).is_some());
    }

    #[test]
    fn a_shape_that_leads_outside_is_refused() {
        let right = FilterShape { seed: 1, segment_length: 8, segment_count_length: 16 };
        assert_eq!(right.validate(32), Ok(()));
        assert!(right.validate(31).is_err() && right.validate(33).is_err());
        assert!(FilterShape { segment_length: 7, ..right }.validate(1000).is_err());
        assert!(FilterShape { segment_count_length: 0, ..right }.validate(1000).is_err());
        assert!(FilterShape { segment_count_length: 17, ..right }.validate(1000).is_err());
        assert!(
            FilterShape { segment_length: 1 << 31, segment_count_length: 1 << 31, ..right }.validate(1000).is_err()
        );
    }
}
