//! What threads share and wait by: locks, atomics, threads, and the clock of their deadlines. The engine takes them from here
//! and from nowhere else, `disk/real` apart.
//!
//! Built with `--cfg gesta_shuttle`, the same names are those of `sync_shuttle.rs`, under which a scheduler decides who runs.

pub(crate) use arc_swap::ArcSwap;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::time::Instant;

/// Atomics.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
}

/// Threads.
pub(crate) mod thread {
    pub(crate) use std::thread::{Builder, JoinHandle, Thread, current, park, sleep, yield_now};
}
