//! The names of the engine's `sync.rs` as loom has them, as far as the watermarks need them.

use loom::sync as explored;
use std::sync::PoisonError;

pub(crate) use std::time::Instant;

pub(crate) mod atomic {
    pub(crate) use loom::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
}

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(explored::Mutex<T>);

/// `None` only while its thread sleeps.
pub(crate) struct MutexGuard<'a, T>(Option<explored::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(explored::Condvar);

/// How a sleep with a deadline ended.
pub(crate) struct WaitTimeoutResult;

impl WaitTimeoutResult {
    pub(crate) fn timed_out(&self) -> bool {
        false
    }
}

impl Condvar {
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("the thread is awake");
        guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
    }

    /// No deadline comes.
    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}
