//! Opening, replaying, and reading streams.

use super::measured::{Measured, waits};
use crate::event::{STREAM_COUNT, stream_name};
use crate::peer::{Failure, Peer};
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

/// From nothing to the first answer.
pub(super) fn open<P: Peer>(directory: &Path) -> Result<Measured, Failure> {
    let start = Instant::now();
    let peer = P::open(directory, true)?;
    let mut events = 0;
    peer.read_stream(&stream_name(0), &mut |_| events += 1)?;
    let elapsed = start.elapsed();
    if events == 0 {
        return Err("stream 0 is empty".into());
    }
    peer.close()?;
    Ok(Measured { events, elapsed, waits: None, stored: None })
}

/// Every event, once without looking closely, then once more to judge each of them.
pub(super) fn replay<P: Peer>(directory: &Path) -> Result<Measured, Failure> {
    let peer = P::open(directory, true)?;
    // The files are in memory, and maps are made, before the clock runs.
    let (mut warm, mut events, mut bytes) = (0_u64, 0, 0);
    peer.replay(&mut |seen| warm += seen.data.len() as u64)?;
    let start = Instant::now();
    peer.replay(&mut |seen| {
        events += 1;
        bytes += black_box(seen.data).len() as u64;
    })?;
    let elapsed = start.elapsed();
    let mut good = 0;
    peer.replay(&mut |seen| good += u64::from(seen.judged().is_some()))?;
    peer.close()?;
    if good != events || warm != bytes {
        return Err(format!("{events} events were read, and {good} of them are what was appended").into());
    }
    Ok(Measured { events, elapsed, waits: None, stored: Some(events) })
}

/// Whole streams, in an order that looks random.
pub(super) fn streams<P: Peer>(directory: &Path, time: Duration) -> Result<Measured, Failure> {
    let peer = P::open(directory, true)?;
    let (mut waits, mut events, mut turn) = (waits(), 0, 0_u64);
    let start = Instant::now();
    while start.elapsed() < time {
        turn += 1;
        let stream = stream_name(turn * 7919 % STREAM_COUNT);
        let called = Instant::now();
        let before = events;
        peer.read_stream(&stream, &mut |seen| {
            events += 1;
            black_box(seen.data);
        })?;
        waits.saturating_record(u64::try_from(called.elapsed().as_nanos())?);
        if events == before {
            return Err(format!("{stream} is empty").into());
        }
    }
    let elapsed = start.elapsed();
    for stream in 0..STREAM_COUNT {
        let mut next = 0;
        let mut is_good = true;
        peer.read_stream(&stream_name(stream), &mut |seen| {
            is_good &= seen.judged() == Some((stream, next));
            next += 1;
        })?;
        if !is_good {
            return Err(format!("{} is not what was appended", stream_name(stream)).into());
        }
    }
    peer.close()?;
    Ok(Measured { events, elapsed, waits: Some(waits), stored: None })
}
