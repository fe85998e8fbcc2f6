//! A sign of life of a peer that takes what it is sent, and is too busy with that to send anything itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// When a peer last took something. Pings do not count: a peer that is gone takes them too, for a while.
#[derive(Clone)]
pub(crate) struct Pulse {
    origin: Instant,
    /// Milliseconds after `origin`. Relaxed: it stands alone.
    beat: Arc<AtomicU64>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { origin: Instant::now(), beat: Arc::default() }
    }

    /// The peer has taken something.
    pub(crate) fn beat(&self) {
        let now = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat.store(now, Ordering::Relaxed);
    }

    /// When that was last; the beginning of the connection when it never was.
    pub(super) fn last(&self) -> Instant {
        self.origin + Duration::from_millis(self.beat.load(Ordering::Relaxed))
    }
}
