//! Many threads that share a sync: one writes, and each of those who wait is woken alone.
//!
//! Whatever arrives while one group syncs is the next group. There is no timer, and nobody wakes to find that he must sleep again.

use crate::rows::Rows;
use driver::Failure;
use parking_lot::{Condvar, Mutex};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};

/// The group that is being gathered.
#[derive(Default)]
pub(crate) struct Grouped {
    group: Mutex<Group>,
    work: Condvar,
}

#[derive(Default)]
struct Group {
    bytes: Vec<u8>,
    waiters: Vec<Arc<Waiter>>,
    writer_rests: bool,
    is_ending: bool,
    has_failed: bool,
}

/// A thread that sleeps until its bytes are written.
struct Waiter {
    is_done: AtomicBool,
    /// Said before `is_done`, and seen after it.
    has_failed: AtomicBool,
    thread: Thread,
}

thread_local! {
    static WAITER: Arc<Waiter> = Arc::new(Waiter { is_done: AtomicBool::new(false), has_failed: AtomicBool::new(false), thread: thread::current() });
}

impl Grouped {
    /// Returns once the bytes are written as the writer was told to.
    pub(crate) fn append(&self, bytes: &[u8]) -> Result<(), Failure> {
        WAITER.with(|waiter| {
            let mut group = self.group.lock();
            if group.has_failed {
                return Err("an earlier write failed".into());
            }
            group.bytes.extend_from_slice(bytes);
            group.waiters.push(Arc::clone(waiter));
            let must_call = mem::take(&mut group.writer_rests);
            drop(group);
            if must_call {
                self.work.notify_one();
            }
            // Acquire: pairs with the Release in `write_groups`.
            while !waiter.is_done.swap(false, Ordering::Acquire) {
                thread::park();
            }
            if waiter.has_failed.load(Ordering::Relaxed) { Err("the write failed".into()) } else { Ok(()) }
        })
    }

    /// Writes a group after the other until it is told to end.
    pub(crate) fn write_groups(&self, rows: &Mutex<Rows>, is_durable: bool) -> Result<(), Failure> {
        let (mut bytes, mut waiters) = (Vec::new(), Vec::new());
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
            mem::swap(&mut group.bytes, &mut bytes);
            mem::swap(&mut group.waiters, &mut waiters);
            drop(group);
            let written = rows.lock().write(&bytes, is_durable);
            bytes.clear();
            if written.is_err() {
                let mut group = self.group.lock();
                group.has_failed = true;
                waiters.append(&mut group.waiters);
            }
            for waiter in waiters.drain(..) {
                // Relaxed: ordered by the next line.
                waiter.has_failed.store(written.is_err(), Ordering::Relaxed);
                // Release: pairs with the Acquire in `append`.
                waiter.is_done.store(true, Ordering::Release);
                waiter.thread.unpark();
            }
            written?;
        }
    }

    /// Tells the writer to end.
    pub(crate) fn end(&self) {
        self.group.lock().is_ending = true;
        self.work.notify_one();
    }
}
