//! How long commands and queries take: two of the five figures.

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long commands (t_c) and queries (t_q) have taken, by name. The other three figures, the number of events, their sizes
/// and the size of the store, are the store's own.
#[derive(Debug, Default)]
pub struct Figures {
    commands: Mutex<Durations>,
    queries: Mutex<Durations>,
}

type Durations = BTreeMap<String, Histogram<u64>>;

/// How long something took, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// How often it was done.
    pub count: u64,
    /// Half of the times it took this long at most.
    pub p50_us: u64,
    /// 99 of a hundred times.
    pub p99_us: u64,
    /// 999 of a thousand times.
    pub p999_us: u64,
}

/// What takes longer counts as this long.
const LONGEST_US: u64 = 3_600_000_000;

impl Figures {
    /// Without figures yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A command of this name took so long.
    pub fn command(&self, name: &str, took: Duration) {
        note(&self.commands, name, took);
    }

    /// A query of this name took so long.
    pub fn query(&self, name: &str, took: Duration) {
        note(&self.queries, name, took);
    }

    /// How long commands took, by name.
    #[must_use]
    pub fn commands(&self) -> BTreeMap<String, Percentiles> {
        percentiles(&self.commands)
    }

    /// How long queries took, by name.
    #[must_use]
    pub fn queries(&self) -> BTreeMap<String, Percentiles> {
        percentiles(&self.queries)
    }
}

fn note(durations: &Mutex<Durations>, name: &str, took: Duration) {
    let mut durations = durations.lock();
    if !durations.contains_key(name) {
        // Two digits are as much as a clock beside other work is good for.
        let empty = Histogram::new_with_max(LONGEST_US, 2).expect("these bounds are good ones");
        durations.insert(name.to_owned(), empty);
    }
    if let Some(histogram) = durations.get_mut(name) {
        histogram.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).clamp(1, LONGEST_US));
    }
}

fn percentiles(durations: &Mutex<Durations>) -> BTreeMap<String, Percentiles> {
    let durations = durations.lock();
    let of = |histogram: &Histogram<u64>| Percentiles {
        count: histogram.len(),
        p50_us: histogram.value_at_quantile(0.5),
        p99_us: histogram.value_at_quantile(0.99),
        p999_us: histogram.value_at_quantile(0.999),
    };
    durations.iter().map(|(name, histogram)| (name.clone(), of(histogram))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_apart_by_name_and_kind() {
        let figures = Figures::new();
        for milliseconds in 1..=1000 {
            figures.command("Open", Duration::from_millis(milliseconds));
        }
        figures.query("Balance", Duration::ZERO);
        figures.query("Balance", Duration::MAX);
        let open = figures.commands()["Open"];
        assert_eq!((open.count, figures.commands().len()), (1000, 1));
        let is_near = |value: u64, expected: u64| value.abs_diff(expected) <= expected / 50;
        assert!(is_near(open.p50_us, 500_000) && is_near(open.p99_us, 990_000), "{open:?}");
        let balance = figures.queries()["Balance"];
        assert_eq!((balance.count, balance.p50_us), (2, 1));
        assert!(is_near(balance.p99_us, LONGEST_US), "{balance:?}");
    }
}
