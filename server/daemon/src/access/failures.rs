//! How often an address may be wrong before nobody there is listened to for a while.
//!
//! Pure: the time is an argument. What must stay true: memory is bounded whatever comes; and an address that is refused is
//! heard again when its window has passed, however often it knocks meanwhile.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// How patient the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureLimits {
    /// Failures of one address in one window, before it is refused.
    pub failures_max: u32,
    /// Begins with the first failure.
    pub window: Duration,
    /// Addresses that are remembered.
    pub addresses_max: usize,
}

/// The failures of every address.
#[derive(Debug)]
pub struct FailureLimiter {
    limits: FailureLimits,
    windows: HashMap<IpAddr, Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    failure_count: u32,
}

impl Default for FailureLimits {
    /// Ten failures in ten seconds: one a second in the long run, of up to 4,096 addresses.
    fn default() -> Self {
        Self { failures_max: 10, window: Duration::from_secs(10), addresses_max: 4096 }
    }
}

impl FailureLimiter {
    /// Nobody has failed yet.
    #[must_use]
    pub fn new(limits: FailureLimits) -> Self {
        Self { limits, windows: HashMap::new() }
    }

    /// Whether the address has failed too often of late.
    #[must_use]
    pub fn is_refused(&self, address: IpAddr, now: Instant) -> bool {
        let window = self.windows.get(&network(address)).filter(|window| self.is_running(window, now));
        window.is_some_and(|window| window.failure_count >= self.limits.failures_max)
    }

    /// Takes note of a failure.
    pub fn count(&mut self, address: IpAddr, now: Instant) {
        let address = network(address);
        match self.windows.get(&address).filter(|window| self.is_running(window, now)).copied() {
            Some(Window { began, failure_count }) => {
                self.windows.insert(address, Window { began, failure_count: failure_count.saturating_add(1) });
            }
            None => {
                self.make_room(address, now);
                self.windows.insert(address, Window { began: now, failure_count: 1 });
            }
        }
    }

    /// Addresses that are remembered.
    #[must_use]
    pub fn address_count(&self) -> usize {
        self.windows.len()
    }

    /// Forgets windows that have passed and, if all are running, the one that began first.
    fn make_room(&mut self, address: IpAddr, now: Instant) {
        if self.windows.contains_key(&address) || self.windows.len() < self.limits.addresses_max {
            return;
        }
        let length = self.limits.window;
        self.windows.retain(|_, window| now.saturating_duration_since(window.began) < length);
        if self.windows.len() >= self.limits.addresses_max
            && let Some(first) = self.windows.iter().min_by_key(|(_, window)| window.began).map(|(first, _)| *first)
        {
            self.windows.remove(&first);
        }
    }

    fn is_running(&self, window: &Window, now: Instant) -> bool {
        now.saturating_duration_since(window.began) < self.limits.window
    }
}

/// The address, or the network of a version 6 address: who has one of those has 2^64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const LIMITS: FailureLimits = FailureLimits { failures_max: 3, window: Duration::from_secs(10), addresses_max: 4 };

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    #[test]
    fn an_address_is_refused_after_its_failures_and_heard_again_after_its_window() {
        let (mut limiter, start) = (FailureLimiter::new(LIMITS), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in 0..3 {
            assert!(!limiter.is_refused(address(1), at(second)));
            limiter.count(address(1), at(second));
        }
        assert!(limiter.is_refused(address(1), at(3)) && limiter.is_refused(address(1), at(9)));
        assert!(!limiter.is_refused(address(2), at(3)));
        // Knocking on does not make the window longer.
        limiter.count(address(1), at(9));
        assert!(!limiter.is_refused(address(1), at(10)));
        limiter.count(address(1), at(10));
        assert!(!limiter.is_refused(address(1), at(10)));
    }

    #[test]
    fn memory_is_bounded_and_those_who_failed_last_are_remembered() {
        let (mut limiter, start) = (FailureLimiter::new(LIMITS), Instant::now());
        for number in 0..100 {
            for _ in 0..3 {
                limiter.count(address(number), start + Duration::from_millis(u64::from(number)));
            }
            assert!(limiter.address_count() <= 4);
            assert!(limiter.is_refused(address(number), start + Duration::from_millis(100)));
        }
        assert!(limiter.is_refused(address(96), start + Duration::from_millis(100)));
        assert!(!limiter.is_refused(address(95), start + Duration::from_millis(100)));
        // All windows have passed: one failure makes room of all of them.
        limiter.count(address(200), start + Duration::from_secs(60));
        assert_eq!(limiter.address_count(), 1);
    }

    #[test]
    fn a_network_of_version_6_is_one_address_and_a_mapped_one_is_version_4() {
        let (mut limiter, now) = (FailureLimiter::new(LIMITS), Instant::now());
        for number in 0..3_u128 {
            limiter.count(Ipv6Addr::from_bits((0x2001_0db8 << 96) + number).into(), now);
        }
        assert!(limiter.is_refused("2001:db8::ffff:1".parse().unwrap(), now));
        assert!(!limiter.is_refused("2001:db8:0:1::1".parse().unwrap(), now));
        for _ in 0..3 {
            limiter.count("::ffff:10.0.0.1".parse().unwrap(), now);
        }
        assert!(limiter.is_refused(address(1), now));
    }

    #[test]
    fn a_clock_that_stands_still_or_seems_to_go_back_does_no_harm() {
        let (mut limiter, now) = (FailureLimiter::new(LIMITS), Instant::now());
        let later = now + Duration::from_secs(5);
        (0..3).for_each(|_| limiter.count(address(1), later));
        assert!(limiter.is_refused(address(1), now));
    }
}
