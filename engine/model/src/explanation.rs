//! What an answer cost.

/// What finding events has cost so far: all zeros for a read of everything, which asks no index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Lists of positions that were read.
    pub lists_read: u64,
    /// Segments whose index was asked.
    pub segments_asked: u64,
    /// Of these, segments in which nothing could match, so that no list was read.
    pub segments_skipped: u64,
    /// Records that were looked at.
    pub records_touched: u64,
}
