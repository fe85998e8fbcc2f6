//! How fast a scrub may read.

use crate::sync::Mutex;
use gesta_model::Timestamp;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

/// How many bytes a second scrubs read. Clones share it: stores that are opened with the same one read no more together.
#[derive(Clone, Debug)]
pub struct ScrubRate {
    bytes_per_second: NonZeroU64,
    debt: Arc<Mutex<Debt>>,
}

/// The time that was read ahead of, as of a moment.
#[derive(Debug, Default)]
struct Debt {
    nanoseconds: u64,
    as_of: Option<Timestamp>,
}

/// The longest stretch that is read at once: who waits for the scrubbing thread waits for no more than this.
const STRETCH_BYTES_MAX: u64 = 4 << 20;
/// The shortest one: a block of an index file, the header page of a segment.
const STRETCH_BYTES_MIN: u64 = 4096;

impl ScrubRate {
    /// So many bytes a second.
    #[must_use]
    pub fn new(bytes_per_second: NonZeroU64) -> Self {
        Self { bytes_per_second, debt: Arc::default() }
    }

    /// How many bytes a second.
    #[must_use]
    pub fn bytes_per_second(&self) -> NonZeroU64 {
        self.bytes_per_second
    }

    /// How much to read at once: a quarter of a second's worth.
    pub(super) fn stretch_bytes(&self) -> u64 {
        (self.bytes_per_second.get() / 4).clamp(STRETCH_BYTES_MIN, STRETCH_BYTES_MAX)
    }

    /// How long to wait before reading on. A clock that is set back stands still for us; one that is set forward forgives what
    /// was read last, and no more.
    pub(super) fn wait(&self, now: Timestamp) -> Duration {
        let mut debt = self.debt.lock();
        let as_of = debt.as_of.replace(now).unwrap_or(now);
        let elapsed = u64::try_from(now.0.saturating_sub(as_of.0)).unwrap_or(0);
        debt.nanoseconds = debt.nanoseconds.saturating_sub(elapsed);
        Duration::from_nanos(debt.nanoseconds)
    }

    /// Notes what was read.
    pub(super) fn spent(&self, bytes: u64) {
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(self.bytes_per_second.get());
        let mut debt = self.debt.lock();
        debt.nanoseconds = debt.nanoseconds.saturating_add(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn rate(bytes_per_second: u64) -> ScrubRate {
        ScrubRate::new(NonZeroU64::new(bytes_per_second).unwrap())
    }

    #[test]
    fn what_was_read_is_waited_for_and_time_that_was_not_used_is_not_saved_up() {
        let rate = rate(1000);
        assert_eq!(rate.wait(Timestamp(0)), Duration::ZERO);
        assert_eq!(rate.wait(Timestamp(100 * SECOND)), Duration::ZERO);
        rate.spent(3000);
        assert_eq!(rate.wait(Timestamp(101 * SECOND)), Duration::from_secs(2));
        assert_eq!(rate.wait(Timestamp(103 * SECOND)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_jumps_costs_no_more_than_what_was_read_last() {
        let rate = rate(1000);
        rate.wait(Timestamp(100 * SECOND));
        rate.spent(2000);
        assert_eq!(rate.wait(Timestamp(-50 * SECOND)), Duration::from_secs(2), "set back");
        assert_eq!(rate.wait(Timestamp(-49 * SECOND)), Duration::from_secs(1), "and goes on from there");
        assert_eq!(rate.wait(Timestamp(i64::MAX)), Duration::ZERO, "set forward");
        rate.spent(1000);
        assert_eq!(rate.wait(Timestamp(i64::MAX)), Duration::from_secs(1));
    }

    #[test]
    fn stores_that_share_a_rate_wait_for_each_other() {
        let one = rate(1000);
        let other = one.clone();
        one.wait(Timestamp(0));
        one.spent(1000);
        other.spent(1000);
        assert_eq!(other.wait(Timestamp(SECOND)), Duration::from_secs(1));
        assert_eq!(one.wait(Timestamp(2 * SECOND)), Duration::ZERO);
    }

    #[test]
    fn no_rate_is_too_low_or_too_high_to_be_reckoned_with() {
        let (slow, fast) = (rate(1), rate(u64::MAX));
        for rate in [&slow, &fast] {
            rate.wait(Timestamp(0));
            rate.spent(1 << 40);
        }
        assert_eq!(slow.wait(Timestamp(0)), Duration::from_nanos(u64::MAX));
        assert!(fast.wait(Timestamp(0)) < Duration::from_micros(1));
        assert_eq!((slow.stretch_bytes(), fast.stretch_bytes()), (STRETCH_BYTES_MIN, STRETCH_BYTES_MAX));
    }
}
