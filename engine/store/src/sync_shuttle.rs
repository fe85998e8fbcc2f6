//! The names of `sync.rs` under the scheduler of shuttle, which decides at each of their operations who runs next.
//!
//! What differs from the real ones: every access to an atomic is sequentially consistent, so a wrong ordering shows only to the
//! model in `tests/publication`; the set behind an [`ArcSwap`] is the real one, with a moment before each operation at which
//! others may run; and time is no clock: it moves a little with every look at it, and to the deadline of a sleep that nobody ended.
//! Whether a deadline comes is drawn for each sleep, as part of the schedule.

use shuttle::rand::Rng;
use shuttle::sync as explored;
use std::cell::Cell;
use std::ops::{Add, Deref, DerefMut};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Atomics.
pub(crate) mod atomic {
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
}

/// Threads.
pub(crate) mod thread {
    pub(crate) use shuttle::thread::{Builder, JoinHandle, Thread, current, park, sleep, yield_now};
}

/// A lock that a panic does not poison.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(explored::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(explored::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard { mutex: self, held: Some(self.acquire()) }
    }

    fn acquire(&self) -> explored::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// `None` only while its thread sleeps.
    held: Option<explored::MutexGuard<'a, T>>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("nobody looks while the thread sleeps")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("nobody looks while the thread sleeps")
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(explored::Condvar);

/// How a sleep with a deadline ended.
pub(crate) struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub(crate) fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self(explored::Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.held.take().expect("the thread is awake");
        guard.held = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
    }

    /// Sleeps until it is woken; or lets others run for a moment, and has slept until the deadline.
    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> WaitTimeoutResult {
        let is_woken = shuttle::rand::thread_rng().r#gen::<bool>();
        if is_woken {
            self.wait(guard);
        } else {
            guard.held = None;
            shuttle::thread::yield_now();
            guard.held = Some(guard.mutex.acquire());
            NOW.set(NOW.get().max(deadline.0));
        }
        WaitTimeoutResult(!is_woken)
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

std::thread_local! {
    /// The time of all threads of an execution, which run on one.
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A moment on a clock that moves by being looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(Duration);

impl Instant {
    const STEP: Duration = Duration::from_micros(1);

    pub(crate) fn now() -> Self {
        NOW.set(NOW.get() + Self::STEP);
        Self(NOW.get())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Self::now().saturating_duration_since(*self)
    }

    pub(crate) fn duration_since(&self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }

    pub(crate) fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

/// A set that is replaced as a whole: the real one, with a moment for others before each operation.
pub(crate) struct ArcSwap<T> {
    set: arc_swap::ArcSwap<T>,
    /// Looked at before each operation: what is looked at does not matter, that others may run there does.
    moment: atomic::AtomicBool,
}

impl<T> ArcSwap<T> {
    pub(crate) fn new(set: Arc<T>) -> Self {
        Self { set: arc_swap::ArcSwap::new(set), moment: atomic::AtomicBool::new(false) }
    }

    pub(crate) fn load(&self) -> arc_swap::Guard<Arc<T>> {
        self.let_others_run();
        self.set.load()
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        self.let_others_run();
        self.set.load_full()
    }

    pub(crate) fn store(&self, set: Arc<T>) {
        self.let_others_run();
        self.set.store(set);
    }

    /// Replaces the set by what `change` makes of it, again if it was replaced meanwhile.
    pub(crate) fn rcu(&self, change: impl Fn(&Arc<T>) -> T) {
        loop {
            let before = self.load_full();
            let after = Arc::new(change(&before));
            self.let_others_run();
            if Arc::ptr_eq(&self.set.compare_and_swap(&before, after), &before) {
                return;
            }
        }
    }

    fn let_others_run(&self) {
        self.moment.load(atomic::Ordering::SeqCst);
    }
}
