//! When a commit waits for others to join it.
//!
//! Whoever was answered comes back in a moment, while the next commit would begin with the first of them alone. A sync that
//! serves `n` costs each of them an n-th of it: it is worth while to wait for one more as long as they come in shorter
//! intervals than that. But where they take longer than a sync to come back, for want of processors, they come while others
//! are synced, and nobody is waited for. A caller who is alone never is kept waiting.

use crate::sync::Instant;
use std::time::Duration;

/// Nobody is waited for longer: a disk whose syncs take that long gathers a group meanwhile.
const PATIENCE_MAX: Duration = Duration::from_micros(100);

/// Who was there when the last sync ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    /// Whom it answered.
    answered: usize,
    /// Who had come meanwhile.
    staged: usize,
    /// How long it took.
    sync: Duration,
    /// When it ended.
    ended: Instant,
    /// Whether those who are answered come back within a sync.
    is_quick: bool,
}

impl Crowd {
    /// The crowd after a sync, for which `gathering` had waited; `before` is that of the sync before.
    pub(super) fn after(
        before: Option<Self>,
        gathering: &Gathering,
        (answered, staged): (usize, usize),
        sync: Duration,
    ) -> Self {
        let came_back = before.is_some_and(|before| staged >= before.answered);
        Self { answered, staged, sync, ended: Instant::now(), is_quick: gathering.is_complete || came_back }
    }

    fn size(&self) -> usize {
        self.answered + self.staged
    }
}

/// The wait of one commit for others.
pub(super) struct Gathering {
    begun: Instant,
    /// How many have come, and when the last of them was seen.
    count: usize,
    grown: Instant,
    /// All that were waited for have come.
    is_complete: bool,
}

impl Gathering {
    /// Nobody was looked for yet.
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { begun: now, count: 0, grown: now, is_complete: false }
    }

    /// Whether to wait on, now that `count` have come.
    pub(super) fn goes_on(&mut self, crowd: &Crowd, count: usize, now: Instant) -> bool {
        if !crowd.is_quick || self.begun.saturating_duration_since(crowd.ended) >= crowd.sync {
            return false;
        }
        self.is_complete = count >= crowd.size();
        if count > self.count {
            (self.count, self.grown) = (count, now);
        }
        let share = crowd.sync / u32::try_from(count + 1).unwrap_or(u32::MAX);
        let are_coming = now.saturating_duration_since(self.grown) < share.min(PATIENCE_MAX);
        !self.is_complete && are_coming && now.saturating_duration_since(self.begun) < crowd.sync / 2
    }
}

#[cfg(test)]
#[path = "crowd_test.rs"]
mod tests;
