//! How long to wait before the next try.

use std::time::Duration;

/// Waits that double, each cut by chance, so that many clients do not come back at one moment.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    tries: u32,
}

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);

impl Backoff {
    /// The next wait: from half of the full one up to all of it.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let full = FIRST.saturating_mul(1 << self.tries.min(16)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        let mut chance = [0; 4];
        // Without chance the wait is the full one.
        if getrandom::fill(&mut chance).is_err() {
            return full;
        }
        full.mul_f64(0.5 + 0.5 * f64::from(u32::from_le_bytes(chance)) / f64::from(u32::MAX))
    }

    /// Begins anew: the last try was of use.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_begin_anew() {
        let mut backoff = Backoff::default();
        for tries in 0..40 {
            let full = FIRST.saturating_mul(1 << tries.min(16)).min(LONGEST);
            let wait = backoff.next_wait();
            assert!(wait >= full / 2 && wait <= full, "try {tries}: {wait:?} of {full:?}");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= FIRST);
    }
}
