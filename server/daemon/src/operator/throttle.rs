//! One line a second of each kind, however often it happens.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const INTERVAL_MS: u64 = 1000;

/// What times are counted from.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Lets one line a second through; a `static` for each kind of line that strangers can provoke.
///
/// ```
/// static GARBAGE: gesta_server::operator::Throttle = gesta_server::operator::Throttle::new();
///
/// if let Some(suppressed) = GARBAGE.admit() {
///     println!("garbage from 192.0.2.7 ({suppressed} more were not shown)");
/// }
/// ```
#[derive(Debug)]
pub struct Throttle {
    /// When the next line may pass, in milliseconds after `ORIGIN`.
    next: AtomicU64,
    suppressed: AtomicU64,
}

impl Throttle {
    /// Lets the first line through.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }

    /// Whether a line may be written now: then, how many were not since the last one.
    pub fn admit(&self) -> Option<u64> {
        self.admit_at(u64::try_from(ORIGIN.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn admit_at(&self, now: u64) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        // Of those who come at the same moment, one wins.
        let is_first = || {
            let later = now.saturating_add(INTERVAL_MS);
            self.next.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if now >= next && is_first() {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_passes_and_tells_how_many_did_not() {
        let throttle = Throttle::new();
        assert_eq!(throttle.admit_at(5), Some(0));
        assert_eq!((6..1005).filter_map(|now| throttle.admit_at(now)).count(), 0);
        assert_eq!(throttle.admit_at(1005), Some(999));
        assert_eq!(throttle.admit_at(1006), None);
        assert_eq!(throttle.admit_at(9000), Some(1));
        assert_eq!(throttle.admit_at(u64::MAX), Some(0));
    }

    #[test]
    fn threads_share_the_one_line_and_every_other_is_counted() {
        let throttle = Throttle::new();
        let passed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        passed.fetch_add(
                            throttle.admit_at(100).map_or(0, |suppressed| suppressed + 1),
                            Ordering::Relaxed,
                        );
                    }
                });
            }
        });
        assert_eq!(passed.load(Ordering::Relaxed) + throttle.admit_at(5000).unwrap(), 4000);
    }
}
