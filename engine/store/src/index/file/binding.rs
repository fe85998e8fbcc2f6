//! Which log an index file speaks of.

use gesta_model::{Position, Uuid};

/// What an index file must say of itself to be believed: it was made from exactly this stretch of this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) store_id: Uuid,
    /// The first segment that it covers.
    pub(crate) first_number: u64,
    /// The last segment that it covers, included.
    pub(crate) last_number: u64,
    pub(crate) generation: u32,
    /// The fingerprint of the seal of the last segment.
    pub(crate) seal: u128,
    /// The first position of the first segment.
    pub(crate) base: Position,
}
