//! Events that a projection could not fold.

use gesta_model::{Position, Timestamp};

/// An event that a projection could not fold, put aside so that the rest goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Which event.
    pub position: Position,
    /// Its type. Empty: not an event, but damage in the log from that position on, of which the reason tells. When the log is
    /// whole again, a projection of a new version folds what was missed.
    pub event_type: String,
    /// What the projection said of it.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When the store took it.
    pub recorded_at: Timestamp,
    /// Whether it was [news](crate::Recorded::is_news), which it still is when it is folded at last.
    pub is_news: bool,
}
