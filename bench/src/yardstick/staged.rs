//! Bytes gathered in memory, and one `pwrite` whenever enough of them are.

use super::ZeroedFile;
use crate::outcome::Outcome;
use crate::sample::Sample;
use std::time::{Duration, Instant};

/// Bytes that are gathered before they are written.
const STAGING_BYTES: usize = 64 << 10;
/// How many copies are made between two looks at the clock, which would cost as much as a copy.
const LOOK_EVERY: u64 = 64;

/// Copies `bytes`, which hold `event_count` events, into a staging buffer of 64 KiB over and over; no sync.
pub fn pwrite_staged(mut file: ZeroedFile, bytes: &[u8], event_count: u64, duration: Duration) -> Outcome<Sample> {
    let mut staging = Vec::with_capacity(STAGING_BYTES + bytes.len());
    let mut copy_count = 0;
    let start = Instant::now();
    while !copy_count_is_due(copy_count) || start.elapsed() < duration {
        staging.extend_from_slice(bytes);
        copy_count += 1;
        if staging.len() >= STAGING_BYTES {
            file.write(&staging)?;
            staging.clear();
        }
    }
    Ok(Sample::without_latency(copy_count * event_count, start.elapsed()))
}

fn copy_count_is_due(copy_count: u64) -> bool {
    copy_count.is_multiple_of(LOOK_EVERY)
}
