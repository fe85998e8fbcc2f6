//! Filling a store that the other rows read.

use super::measured::Measured;
use crate::event::{Batch, STREAM_COUNT};
use crate::peer::{Failure, Peer};
use std::path::Path;
use std::time::Instant;

/// Events a commit.
const BATCH: u64 = 10;

/// Appends so many events, ten a commit, to the streams by turns; the store is left as after a crash of its
/// process.
pub(super) fn run<P: Peer>(directory: &Path, data_bytes: usize, events: u64) -> Result<Measured, Failure> {
    let peer = P::open(directory, false)?;
    let start = Instant::now();
    for turn in 0..events / BATCH {
        let (stream, round) = (turn % STREAM_COUNT, turn / STREAM_COUNT);
        peer.append(&Batch::new(stream, round * BATCH, BATCH, data_bytes))?;
    }
    peer.sync()?;
    let elapsed = start.elapsed();
    peer.crash();
    Ok(Measured { events: events / BATCH * BATCH, elapsed, waits: None, stored: Some(events / BATCH * BATCH) })
}
