//! When a commit waits for others to join it.
//!
//! Whoever was answered comes back in a moment, while the next commit would begin with the first of them alone. A sync that
//! serves `n` costs each of them an n-th of it: it is worth while to wait for one more as long as they come in shorter
//! intervals than that. A caller who is alone is never kept waiting.

use crate::sync::Instant;
use std::time::Duration;

/// Nobody is waited for longer: a disk whose syncs take that long gathers a group meanwhile.
const PATIENCE_MAX: Duration = Duration::from_micros(100);

/// Who was there when the last sync ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    /// Whom it answered, and who had come meanwhile.
    pub(super) size: usize,
    /// How long it took.
    pub(super) sync: Duration,
    /// When it ended.
    pub(super) ended: Instant,
}

/// The wait of one commit for others.
pub(super) struct Gathering {
    begun: Instant,
    /// How many have come, and when the last of them was seen.
    count: usize,
    grown: Instant,
}

impl Gathering {
    /// Nobody was looked for yet.
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { begun: now, count: 0, grown: now }
    }

    /// Whether to wait on, now that `count` have come.
    pub(super) fn goes_on(&mut self, crowd: &Crowd, count: usize, now: Instant) -> bool {
        if count > self.count {
            (self.count, self.grown) = (count, now);
        }
        let share = crowd.sync / u32::try_from(count + 1).unwrap_or(u32::MAX);
        let is_expected = count < crowd.size && self.begun.saturating_duration_since(crowd.ended) < crowd.sync;
        let are_coming = now.saturating_duration_since(self.grown) < share.min(PATIENCE_MAX);
        is_expected && are_coming && now.saturating_duration_since(self.begun) < crowd.sync / 2
    }
}

#[cfg(test)]
#[path = "crowd_test.rs"]
mod tests;
