//! Many threads that share syncs: one writer, and each waiter woken alone.
//!
//! Whatever arrives while one group syncs is the next group. There is no timer and no `notify_all`, under which hundreds
//! of waiters would wake to find that most of them must sleep again.

use super::ZeroedFile;
use crate::outcome::Outcome;
use crate::sample::{Latency, Sample};
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The group that is being gathered.
#[derive(Debug, Default)]
pub struct GroupedWriter {
    group: Mutex<Group>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct Group {
    bytes: Vec<u8>,
    waiters: Vec<Arc<Waiter>>,
    writer_rests: bool,
    is_ending: bool,
}

/// A thread that sleeps until its bytes are durable.
#[derive(Debug)]
struct Waiter {
    is_done: AtomicBool,
    thread: Thread,
}

impl GroupedWriter {
    /// Has `thread_count` threads append `bytes`, which hold one event, each waiting until they are durable. `headers` are
    /// written before each group.
    pub fn run(
        file: ZeroedFile,
        bytes: &[u8],
        headers: &[u8],
        thread_count: usize,
        duration: Duration,
    ) -> Outcome<Sample> {
        let grouped = Self::default();
        let barrier = Barrier::new(thread_count + 1);
        thread::scope(|scope| {
            let writer = scope.spawn(|| grouped.write_groups(file, headers));
            let spawn = |_| scope.spawn(|| grouped.append_until(bytes, duration, &barrier));
            let appenders: Vec<_> = (0..thread_count).map(spawn).collect();
            barrier.wait();
            let start = Instant::now();
            let mut latency = Latency::default();
            for appender in appenders {
                latency.merge(&appender.join().map_err(|_| "an appending thread panicked")?);
            }
            let elapsed = start.elapsed();
            grouped.group.lock().is_ending = true;
            grouped.work.notify_one();
            writer.join().map_err(|_| "the writing thread panicked")??;
            Ok(Sample { event_count: latency.count(), elapsed, latency })
        })
    }

    fn append_until(&self, bytes: &[u8], duration: Duration, barrier: &Barrier) -> Latency {
        let waiter = Arc::new(Waiter { is_done: AtomicBool::new(false), thread: thread::current() });
        let mut latency = Latency::default();
        barrier.wait();
        let start = Instant::now();
        let mut now = start;
        while now - start < duration {
            self.append(bytes, &waiter);
            let end = Instant::now();
            latency.add(end - now);
            now = end;
        }
        latency
    }

    fn append(&self, bytes: &[u8], waiter: &Arc<Waiter>) {
        let mut group = self.group.lock();
        group.bytes.extend_from_slice(bytes);
        group.waiters.push(Arc::clone(waiter));
        let must_call = std::mem::take(&mut group.writer_rests);
        drop(group);
        if must_call {
            self.work.notify_one();
        }
        // Acquire: pairs with the Release in `write_groups`.
        while !waiter.is_done.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }

    fn write_groups(&self, mut file: ZeroedFile, headers: &[u8]) -> Outcome<()> {
        let (mut bytes, mut waiters) = (headers.to_vec(), Vec::new());
        loop {
            let mut group = self.group.lock();
            while group.waiters.is_empty() && !group.is_ending {
                group.writer_rests = true;
                self.work.wait(&mut group);
                group.writer_rests = false;
            }
            if group.waiters.is_empty() {
                return Ok(());
            }
            std::mem::swap(&mut group.bytes, &mut bytes);
            std::mem::swap(&mut group.waiters, &mut waiters);
            drop(group);
            file.write(&bytes)?;
            file.sync()?;
            bytes.clear();
            bytes.extend_from_slice(headers);
            for waiter in waiters.drain(..) {
                // Release: pairs with the Acquire in `append`.
                waiter.is_done.store(true, Ordering::Release);
                waiter.thread.unpark();
            }
        }
    }
}
