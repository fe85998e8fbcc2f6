//! What a workload came to.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a workload came to, in the order of its JSON form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) workload: &'static str,
    pub(crate) connections: usize,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    pub(crate) events_per_second: f64,
    /// Bytes of records, where they were read.
    pub(crate) megabytes_per_second: Option<f64>,
    /// Where callers waited for single answers.
    pub(crate) latency_us: Option<LatencyFigures>,
}

/// How long so many of the waits took at most, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct LatencyFigures {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Figures {
    #[allow(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
    pub(super) fn new(workload: &'static str, connections: usize, events: u64, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        let events_per_second = if seconds > 0.0 { events as f64 / seconds } else { 0.0 };
        Self { workload, connections, events, seconds, events_per_second, megabytes_per_second: None, latency_us: None }
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate is shown with a few digits")]
    pub(super) fn with_bytes(self, bytes: u64) -> Self {
        let rate = if self.seconds > 0.0 { bytes as f64 / 1e6 / self.seconds } else { 0.0 };
        Self { megabytes_per_second: Some(rate), ..self }
    }

    pub(super) fn with_waits(self, waits: &Waits) -> Self {
        Self { latency_us: waits.figures(), ..self }
    }
}

/// How long callers waited.
pub(super) struct Waits {
    nanoseconds: Mutex<Histogram<u64>>,
}

impl Waits {
    /// A longer wait is counted as this long: an hour.
    const NANOSECONDS_MAX: u64 = 3_600_000_000_000;

    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, Self::NANOSECONDS_MAX, 3);
        Self { nanoseconds: Mutex::new(histogram.expect("a histogram can have these bounds and three digits")) }
    }

    pub(super) fn add(&self, waited: Duration) {
        let nanoseconds = u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(nanoseconds);
    }

    fn figures(&self) -> Option<LatencyFigures> {
        let nanoseconds = self.nanoseconds.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |share| Duration::from_nanos(nanoseconds.value_at_quantile(share)).as_secs_f64() * 1e6;
        (!nanoseconds.is_empty()).then(|| LatencyFigures { p50: at(0.5), p99: at(0.99), p999: at(0.999) })
    }
}

/// When a caller worked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: Instant,
    pub(super) end: Instant,
}

impl Span {
    /// From the first start to the last end.
    pub(super) fn around(spans: impl IntoIterator<Item = Self>) -> Duration {
        let around = spans
            .into_iter()
            .reduce(|one, other| Self { start: one.start.min(other.start), end: one.end.max(other.end) });
        around.map_or(Duration::ZERO, |span| span.end - span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_from_the_first_start_to_the_last_end() {
        let now = Instant::now();
        let at = |milliseconds| now + Duration::from_millis(milliseconds);
        let spans = [(10, 20), (5, 15), (12, 30)].map(|(start, end)| Span { start: at(start), end: at(end) });
        assert_eq!(Span::around(spans), Duration::from_millis(25));
    }

    #[test]
    fn waits_are_told_by_their_shares() {
        let waits = Waits::new();
        assert!(waits.figures().is_none());
        (1..=1_000).for_each(|microseconds| waits.add(Duration::from_micros(microseconds)));
        let LatencyFigures { p50, p99, p999 } = waits.figures().expect("there were waits");
        let is_near = |value: f64, expected: f64| (value - expected).abs() <= expected / 500.0;
        assert!(is_near(p50, 500.0) && is_near(p99, 990.0) && is_near(p999, 999.0), "{p50} {p99} {p999}");
    }
}
