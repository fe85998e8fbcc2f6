//! What one round of one side comes to.

use hdrhistogram::Histogram;
use std::time::Duration;

/// A sync that seems to take less than this many microseconds did not reach the device.
pub const SYNC_MICROSECONDS_MIN: u64 = 40;

/// One measured round.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Events that were appended or read.
    pub event_count: u64,
    /// How long that took.
    pub elapsed: Duration,
    /// How long each caller waited, in nanoseconds; empty where a look at the clock would cost as much as the work.
    pub latency: Latency,
}

impl Sample {
    /// A round whose calls were not timed one by one.
    #[must_use]
    pub fn without_latency(event_count: u64, elapsed: Duration) -> Self {
        Self { event_count, elapsed, latency: Latency::default() }
    }

    /// Events a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        rate(self.event_count, self.elapsed)
    }
}

/// How long callers waited for their answers.
#[derive(Clone, Debug)]
pub struct Latency {
    nanoseconds: Histogram<u64>,
    sum: Duration,
    too_short_count: u64,
}

impl Default for Latency {
    fn default() -> Self {
        let nanoseconds = Histogram::new_with_bounds(1, Self::NANOSECONDS_MAX, 3);
        let nanoseconds = nanoseconds.expect("these bounds and three digits are within what a histogram can hold");
        Self { nanoseconds, sum: Duration::ZERO, too_short_count: 0 }
    }
}

impl Latency {
    /// A longer wait is counted as this long: a minute.
    const NANOSECONDS_MAX: u64 = 60_000_000_000;

    /// Adds one wait for a sync.
    pub fn add(&mut self, waited: Duration) {
        self.add_unsynced(waited);
        self.too_short_count += u64::from(waited < Duration::from_micros(SYNC_MICROSECONDS_MIN));
    }

    /// Adds one wait for something that needs no sync, and so may be as short as it likes.
    pub fn add_unsynced(&mut self, waited: Duration) {
        self.sum += waited;
        self.nanoseconds.saturating_record(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds all waits of another one.
    pub fn merge(&mut self, other: &Self) {
        self.nanoseconds += &other.nanoseconds;
        self.sum += other.sum;
        self.too_short_count += other.too_short_count;
    }

    /// How many waits there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.nanoseconds.len()
    }

    /// All waits together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// How many waits were shorter than any sync can be.
    #[must_use]
    pub fn too_short_count(&self) -> u64 {
        self.too_short_count
    }

    /// The wait in microseconds that this share of the waits did not exceed; `None` when nobody waited.
    #[must_use]
    pub fn microseconds_at(&self, share: f64) -> Option<f64> {
        let waited = Duration::from_nanos(self.nanoseconds.value_at_quantile(share));
        (self.count() > 0).then_some(waited.as_secs_f64() * 1e6)
    }
}

/// Events a second.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
pub fn rate(event_count: u64, elapsed: Duration) -> f64 {
    event_count as f64 / elapsed.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_microseconds_and_too_short_ones_are_counted() {
        let mut latency = Latency::default();
        assert_eq!(latency.microseconds_at(0.5), None);
        for microseconds in [100, 100, 100, 20] {
            latency.add(Duration::from_micros(microseconds));
        }
        let mut both = Latency::default();
        both.merge(&latency);
        assert_eq!((both.count(), both.too_short_count()), (4, 1));
        both.add_unsynced(Duration::from_micros(20));
        assert_eq!((both.count(), both.too_short_count()), (5, 1), "only a sync can be too short");
        assert_eq!(both.sum(), Duration::from_micros(340));
        assert!(both.microseconds_at(0.5).is_some_and(|median| (median - 100.0).abs() < 1.0));
    }
}
