//! One caller, one write at a time.

use super::ZeroedFile;
use crate::outcome::Outcome;
use crate::sample::{Latency, Sample};
use std::time::{Duration, Instant};

/// Writes and syncs `bytes`, which hold `event_count` events, over and over: the event loop that gathers so many events,
/// then one `pwrite`, then one `fdatasync`, without a timer.
///
/// `gather` puts the bytes of one group together, as a program would have to.
pub fn sync_each(
    mut file: ZeroedFile,
    event_count: u64,
    duration: Duration,
    mut gather: impl FnMut(&mut Vec<u8>),
) -> Outcome<Sample> {
    let mut group = Vec::new();
    let mut latency = Latency::default();
    let mut count = 0;
    let start = Instant::now();
    let mut now = start;
    while now - start < duration {
        group.clear();
        gather(&mut group);
        file.write(&group)?;
        file.sync()?;
        let end = Instant::now();
        latency.add(end - now);
        now = end;
        count += event_count;
    }
    Ok(Sample { event_count: count, elapsed: now - start, latency })
}

/// One `pwrite` for each `bytes`, which hold one event; no sync.
pub fn pwrite_each(mut file: ZeroedFile, bytes: &[u8], duration: Duration) -> Outcome<Sample> {
    let mut count = 0;
    let start = Instant::now();
    while start.elapsed() < duration {
        file.write(bytes)?;
        count += 1;
    }
    Ok(Sample::without_latency(count, start.elapsed()))
}
