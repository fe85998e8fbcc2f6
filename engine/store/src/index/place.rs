//! Where a batch lies.

use gesta_model::Timestamp;

/// Where a batch with events lies in its segment, and when the store took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchPlace {
    /// Its first event, counted from the segment's first.
    pub(crate) ordinal: u32,
    /// Where it begins, in bytes of the segment file.
    pub(crate) offset: u64,
    pub(crate) recorded_at: Timestamp,
}
