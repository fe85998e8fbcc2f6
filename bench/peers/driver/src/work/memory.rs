//! The memory of this process that is not a file's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Looks at the memory now and then, until it is asked for the most it saw.
pub(super) struct Watch {
    state: Arc<State>,
    watcher: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    most: AtomicU64,
    is_over: AtomicBool,
}

impl Watch {
    pub(super) fn start() -> Self {
        let state = Arc::new(State::default());
        let seen = Arc::clone(&state);
        let watcher = thread::spawn(move || {
            // Relaxed: a number by itself, and a wish to end that may be seen late.
            while !seen.is_over.load(Ordering::Relaxed) {
                seen.most.fetch_max(anonymous_bytes(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(20));
            }
        });
        Self { state, watcher }
    }

    /// The most that was seen, in bytes.
    pub(super) fn most(self) -> u64 {
        self.state.is_over.store(true, Ordering::Relaxed);
        // Nothing in it panics.
        let _ = self.watcher.join();
        self.state.most.load(Ordering::Relaxed).max(anonymous_bytes())
    }
}

fn anonymous_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}
