//! How often a subscription speaks of itself.

use std::time::Duration;

/// When a subscription says how far it has come although no event is there to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// [`Notice::Progress`](crate::Notice::Progress) is said when nothing matched for so long, even if nothing was
    /// appended; [`Duration::MAX`] means never.
    pub progress_every: Duration,
    /// [`Notice::FellBehind`](crate::Notice::FellBehind) is said when the head is more than so many events beyond the
    /// event that comes next, matching or not.
    pub behind_after: u64,
}

impl Default for Pace {
    /// A second, and 10,000 events.
    fn default() -> Self {
        Self { progress_every: Duration::from_secs(1), behind_after: 10_000 }
    }
}
