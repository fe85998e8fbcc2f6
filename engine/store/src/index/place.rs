//! Where a batch lies.

use gesta_model::Timestamp;

/// Where a batch lies in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchPlace {
    /// The ordinal of its first event within the segment.
    pub(crate) ordinal: u32,
    /// Where in the segment file it begins, in bytes.
    pub(crate) offset: u64,
    /// When the store took it.
    pub(crate) recorded_at: Timestamp,
}
