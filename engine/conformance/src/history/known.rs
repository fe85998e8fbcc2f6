//! How far the log must have come by each moment.

use gesta_model::Position;

/// Moments at which something was over that shows how far the log had come.
pub(super) struct Known {
    /// In the order of moments, each with the furthest position that was shown by then.
    shown: Vec<(u64, Position)>,
}

impl Known {
    /// From moments and what was shown at each, in any order.
    pub(super) fn new(mut shown: Vec<(u64, Position)>) -> Self {
        shown.sort_unstable();
        let mut furthest = Position::START;
        for (_, position) in &mut shown {
            furthest = furthest.max(*position);
            *position = furthest;
        }
        Self { shown }
    }

    /// How far the log had come before a call.
    pub(super) fn before(&self, called: u64) -> Position {
        let count = self.shown.partition_point(|(returned, _)| *returned < called);
        count.checked_sub(1).map_or(Position::START, |last| self.shown[last].1)
    }
}
