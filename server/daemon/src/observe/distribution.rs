//! How often which value was seen: counted without a lock and without memory of its own for each observation.
//!
//! Values fall into buckets that are at most 1/32 wide, whatever their size: 32 for each doubling, exact below 64. The
//! smallest and the largest value are kept as they are.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets for each doubling, as a power of two.
const DETAIL_BITS: u32 = 5;
const DETAIL: usize = 1 << DETAIL_BITS;
/// Larger values are counted as this one: 18 minutes in microseconds, one GiB in bytes.
const VALUE_MAX: u64 = (1 << 30) - 1;
const BUCKET_COUNT: usize = (31 - DETAIL_BITS as usize) * DETAIL;

/// Counts values as they come, from any thread.
///
/// The counters stand alone: each is Relaxed, and a reader may see one observation in some of them and not in others.
#[derive(Debug)]
pub(crate) struct Distribution {
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
}

impl Default for Distribution {
    fn default() -> Self {
        let buckets = (0..BUCKET_COUNT).map(|_| AtomicU64::new(0)).collect();
        Self { buckets, sum: AtomicU64::new(0), min: AtomicU64::new(u64::MAX), max: AtomicU64::new(0) }
    }
}

impl Distribution {
    /// Counts one value.
    pub(crate) fn observe(&self, value: u64) {
        self.buckets[bucket_of(value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
        // Both are rarely moved: looking first leaves the line shared between the processors.
        if value < self.min.load(Ordering::Relaxed) {
            self.min.fetch_min(value, Ordering::Relaxed);
        }
        if value > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(value, Ordering::Relaxed);
        }
    }

    /// Everything seen so far.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            buckets: self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
            min: self.min.load(Ordering::Relaxed),
            max: self.max.load(Ordering::Relaxed),
        }
    }
}

/// What a distribution had seen at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    buckets: Vec<u64>,
    sum: u64,
    min: u64,
    max: u64,
}

impl Counts {
    /// Several distributions seen as one.
    pub(crate) fn merge(all: impl IntoIterator<Item = Self>) -> Self {
        let none = Self { buckets: vec![0; BUCKET_COUNT], sum: 0, min: u64::MAX, max: 0 };
        all.into_iter().fold(none, |mut merged, counts| {
            for (bucket, count) in merged.buckets.iter_mut().zip(counts.buckets) {
                *bucket += count;
            }
            merged.sum = merged.sum.wrapping_add(counts.sum);
            merged.min = merged.min.min(counts.min);
            merged.max = merged.max.max(counts.max);
            merged
        })
    }

    /// How many values were seen.
    pub(crate) fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All values added up.
    pub(crate) fn sum(&self) -> u64 {
        self.sum
    }

    /// The smallest value; `None` when nothing was seen.
    pub(crate) fn min(&self) -> Option<u64> {
        (self.min <= self.max).then_some(self.min)
    }

    /// The largest value; `None` when nothing was seen.
    pub(crate) fn max(&self) -> Option<u64> {
        (self.min <= self.max).then_some(self.max)
    }

    /// A value that so many of a thousand do not exceed, rounded up by at most 1/32; `None` when nothing was seen.
    pub(crate) fn percentile(&self, permille: u64) -> Option<u64> {
        let (min, max) = (self.min()?, self.max()?);
        let rank = (self.total() * permille).div_ceil(1000).max(1);
        let mut below = 0;
        let bucket = self.buckets.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        // The last bucket has no upper end of its own.
        let top = if bucket + 1 == BUCKET_COUNT { max } else { last_of(bucket) };
        Some(top.clamp(min, max))
    }

    /// How many values lie in each of the ranges between ascending powers of two, the first from 0, the last without end.
    pub(crate) fn between_powers(&self, powers: std::ops::RangeInclusive<u32>) -> Vec<u64> {
        let mut bounds: Vec<usize> = powers.map(|power| bucket_of(1 << power)).collect();
        bounds.push(BUCKET_COUNT);
        let mut from = 0;
        let mut counts = Vec::with_capacity(bounds.len());
        for bound in bounds {
            counts.push(self.buckets[from..bound].iter().sum());
            from = bound;
        }
        counts
    }
}

/// The bucket that a value falls into.
fn bucket_of(value: u64) -> usize {
    let value = value.min(VALUE_MAX);
    let doublings = (value | 1).ilog2().saturating_sub(DETAIL_BITS);
    let within = usize::try_from(value >> doublings).expect("two buckets' worth of detail at most");
    doublings as usize * DETAIL + within
}

/// The largest value that falls into a bucket.
fn last_of(bucket: usize) -> u64 {
    // Bucket numbers up to two DETAILs are the values themselves.
    let doublings = (bucket / DETAIL).saturating_sub(1);
    let within = (bucket - doublings * DETAIL) as u64;
    ((within + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: impl IntoIterator<Item = u64>) -> Counts {
        let distribution = Distribution::default();
        values.into_iter().for_each(|value| distribution.observe(value));
        distribution.counts()
    }

    #[test]
    fn every_value_lies_in_one_bucket_that_is_narrow() {
        let mut last = 0;
        for value in (0..100_000).chain((17..30).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1])) {
            let bucket = bucket_of(value);
            assert!(bucket == last || bucket == last + 1 || value > 100_000, "{value}: {bucket} after {last}");
            assert!(value <= last_of(bucket), "{value} above the end of {bucket}");
            assert!(bucket == 0 || value > last_of(bucket - 1), "{value} belongs below {bucket}");
            assert!(last_of(bucket) - value <= value / 32, "{value} reported as {}", last_of(bucket));
            last = bucket;
        }
        assert_eq!(bucket_of(VALUE_MAX), BUCKET_COUNT - 1);
        assert_eq!(bucket_of(u64::MAX), BUCKET_COUNT - 1);
    }

    #[test]
    fn percentiles_of_known_values_are_right_within_their_bucket() {
        let counts = counts(1..=10_000);
        for permille in [1, 10, 500, 990, 999, 1000] {
            let (exact, said) = (permille * 10, counts.percentile(permille).unwrap());
            assert!(said >= exact && said <= exact + exact / 32, "{permille}: {said} instead of {exact}");
        }
        assert_eq!((counts.min(), counts.max(), counts.total()), (Some(1), Some(10_000), 10_000));
        assert_eq!(counts.sum(), 50_005_000);
    }

    #[test]
    fn nothing_seen_is_nothing_said_and_one_value_is_all_of_them() {
        let none = counts([]);
        assert_eq!((none.min(), none.percentile(500), none.max(), none.total()), (None, None, None, 0));
        for value in [0, 7, 1000, 123_456_789, VALUE_MAX, 1 << 40] {
            let one = counts([value]);
            assert_eq!((one.min(), one.percentile(500), one.max()), (Some(value), Some(value), Some(value)));
        }
    }

    #[test]
    fn merged_counts_are_those_of_all_values_together() {
        let merged = Counts::merge([counts([]), counts(5..50), counts([1 << 20])]);
        assert_eq!(merged, counts((5..50).chain([1 << 20])));
        assert_eq!(Counts::merge([]), counts([]));
    }

    #[test]
    fn ranges_between_powers_of_two_are_exact() {
        let counts = counts([0, 15, 16, 31, 32, 1023, 1024, 1 << 35]);
        assert_eq!(counts.between_powers(4..=6), [2, 2, 1, 3]);
        assert_eq!(counts.between_powers(10..=10), [6, 2]);
    }

    #[test]
    fn threads_lose_no_observation() {
        let distribution = Distribution::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let distribution = &distribution;
                scope.spawn(move || (0..10_000).for_each(|value| distribution.observe(value * 4 + thread)));
            }
        });
        assert_eq!(distribution.counts(), counts(0..40_000));
    }
}
