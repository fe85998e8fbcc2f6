//! Appending for a time.

use super::{Measured, waits};
use crate::event::{Batch, STREAM_COUNT};
use crate::peer::{Failure, Peer};
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Threads append to streams of their own, by turns. Afterwards the store is opened again, and every event that was answered
/// for is read back and judged.
pub(super) fn run<P: Peer>(
    directory: &Path,
    data_bytes: usize,
    (threads, batch): (u64, u64),
    time: Duration,
    is_durable: bool,
) -> Result<Measured, Failure> {
    let peer = P::open(directory, is_durable)?;
    let barrier = Barrier::new(usize::try_from(threads)? + 1);
    let (waits, revisions, elapsed) = thread::scope(|scope| {
        let (peer, barrier) = (&peer, &barrier);
        let appenders: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || append(peer, barrier, (thread, threads), batch, data_bytes, time)))
            .collect();
        barrier.wait();
        let start = Instant::now();
        let (mut all_waits, mut all_revisions) = (waits(), Vec::new());
        for appender in appenders {
            let (waits, revisions) = appender.join().map_err(|_| "a thread panicked")??;
            all_waits += waits;
            all_revisions.extend(revisions);
        }
        Ok::<_, Failure>((all_waits, all_revisions, start.elapsed()))
    })?;
    peer.sync()?;
    peer.close()?;
    let events = revisions.iter().map(|(_, count)| count).sum();
    read_back::<P>(directory, &revisions)?;
    Ok(Measured { events, elapsed, waits: Some(waits), stored: None })
}

type Appended = (hdrhistogram::Histogram<u64>, Vec<(u64, u64)>);

/// One thread: every so many-th stream is its own. Returns the waits, and how many events each stream got.
fn append<P: Peer>(
    peer: &P,
    barrier: &Barrier,
    (thread, threads): (u64, u64),
    batch: u64,
    data_bytes: usize,
    time: Duration,
) -> Result<Appended, Failure> {
    let mut revisions: Vec<_> =
        (thread..STREAM_COUNT).step_by(usize::try_from(threads)?).map(|stream| (stream, 0)).collect();
    let mut waits = waits();
    barrier.wait();
    let start = Instant::now();
    let mut turn = 0;
    let stream_count = revisions.len();
    while start.elapsed() < time {
        let (stream, revision) = &mut revisions[turn % stream_count];
        turn += 1;
        let batch = Batch::new(*stream, *revision, batch, data_bytes);
        let called = Instant::now();
        peer.append(&batch)?;
        waits.saturating_record(u64::try_from(called.elapsed().as_nanos())?);
        *revision += batch.events.len() as u64;
    }
    Ok((waits, revisions))
}

/// Everything that was answered for must be there, once and in the order of its stream.
fn read_back<P: Peer>(directory: &Path, revisions: &[(u64, u64)]) -> Result<(), Failure> {
    let peer = P::open(directory, true)?;
    let mut next = vec![0; usize::try_from(STREAM_COUNT)?];
    let mut wrong = None;
    peer.replay(&mut |seen| match seen.judged() {
        Some((stream, revision)) if next[stream as usize] == revision => next[stream as usize] += 1,
        _ => wrong = wrong.take().or(Some(format!("{seen:?} was not appended, or not there"))),
    })?;
    peer.close()?;
    if let Some(wrong) = wrong {
        return Err(wrong.into());
    }
    match revisions.iter().find(|(stream, count)| next[*stream as usize] != *count) {
        None => Ok(()),
        Some((stream, count)) => {
            Err(format!("stream {stream}: {count} events were answered for, and {} are there", next[*stream as usize])
                .into())
        }
    }
}
