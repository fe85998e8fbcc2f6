//! Appending for a time.

use super::choice::Choice;
use super::measured::{Measured, waits};
use crate::event::Batch;
use crate::peer::{Failure, Peer};
use clap::Args;
use hdrhistogram::Histogram;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// What is appended, and how.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    #[arg(long, default_value_t = 1)]
    pub(super) threads: u64,
    /// Events a commit.
    #[arg(long, default_value_t = 1)]
    pub(super) batch: u64,
    #[arg(long)]
    seconds: f64,
    /// Answer before the events are on the device.
    #[arg(long)]
    pub(super) unsynced: bool,
    /// Streams that are appended to.
    #[arg(long, default_value_t = crate::event::STREAM_COUNT)]
    streams: u64,
    /// A few streams get most of the events, and not all of them as many.
    #[arg(long)]
    zipf: bool,
    /// So many appends a second in all, each at its time whether the one before was answered or not: a wait counts from when
    /// the append should have begun.
    #[arg(long)]
    rate: Option<f64>,
}

/// Threads append to streams of their own. Afterwards the store is opened again, and every event that was answered for is read
/// back and judged.
pub(super) fn run<P: Peer>(
    directory: &Path,
    data_bytes: usize,
    arguments: &Arguments,
    commits: &mut u64,
) -> Result<Measured, Failure> {
    let threads = arguments.threads;
    let peer = P::open(directory, !arguments.unsynced)?;
    peer.prepare(threads)?;
    let barrier = Barrier::new(usize::try_from(threads)? + 1);
    let (waits, revisions, elapsed) = thread::scope(|scope| {
        let (peer, barrier) = (&peer, &barrier);
        let appenders: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || append(peer, barrier, thread, arguments, data_bytes)))
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
    *commits = waits.len();
    let events = revisions.iter().map(|(_, count)| count).sum();
    read_back::<P>(directory, arguments.streams, &revisions)?;
    Ok(Measured { events, elapsed, waits: Some(waits), stored: None })
}

type Appended = (Histogram<u64>, Vec<(u64, u64)>);

/// One thread: every so many-th stream is its own. Returns the waits, and how many events each stream got.
fn append<P: Peer>(
    peer: &P,
    barrier: &Barrier,
    thread: u64,
    arguments: &Arguments,
    data_bytes: usize,
) -> Result<Appended, Failure> {
    let own = (thread..arguments.streams).step_by(usize::try_from(arguments.threads)?);
    let mut revisions: Vec<_> = own.map(|stream| (stream, 0)).collect();
    let mut choice =
        if arguments.zipf { Choice::zipf(thread, revisions.len()) } else { Choice::by_turns(revisions.len()) };
    let time = Duration::from_secs_f64(arguments.seconds);
    let mut waits = waits();
    barrier.wait();
    let start = Instant::now();
    let mut turn = 0;
    while start.elapsed() < time {
        let (stream, revision) = &mut revisions[choice.next()];
        let batch = Batch::new(*stream, *revision, arguments.batch, data_bytes);
        let due = arguments.rate.map(|rate| start + due(thread, turn, arguments.threads, rate));
        if let Some(wait) = due.map(|due| due.saturating_duration_since(Instant::now())) {
            thread::sleep(wait);
        }
        let called = due.unwrap_or_else(Instant::now);
        peer.append(&batch)?;
        waits.saturating_record(u64::try_from(called.elapsed().as_nanos())?);
        *revision += batch.events.len() as u64;
        turn += 1;
    }
    Ok((waits, revisions))
}

/// When an append of a thread should begin, if all threads together are to make so many a second.
fn due(thread: u64, turn: u64, threads: u64, rate: f64) -> Duration {
    Duration::from_secs_f64((turn * threads + thread) as f64 / rate)
}

/// Everything that was answered for must be there, once and in the order of its stream.
fn read_back<P: Peer>(directory: &Path, streams: u64, revisions: &[(u64, u64)]) -> Result<(), Failure> {
    let peer = P::open(directory, true)?;
    let mut next = vec![0; usize::try_from(streams)?];
    let mut wrong = None;
    peer.replay(&mut |seen| match seen.judged() {
        Some((stream, revision)) if next.get(stream as usize) == Some(&revision) => next[stream as usize] += 1,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_at_a_rate_are_spread_over_the_threads_evenly() {
        let first = |thread| due(thread, 0, 4, 1_000.0);
        assert_eq!([first(0), first(3)], [Duration::ZERO, Duration::from_millis(3)]);
        assert_eq!(due(1, 250, 4, 1_000.0), Duration::from_millis(1_001));
    }
}
