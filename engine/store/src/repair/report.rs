//! What a repair came to.

use gesta_model::{Damage, Position, Uuid};

/// What a repair came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// The new store's id; `None` when nothing was damaged, and so nothing made.
    pub made: Option<Uuid>,
    /// The end of the log: the new store holds every position below it.
    pub head: Position,
    /// Events that could be read, each at its position.
    pub salvaged: u64,
    /// Bytes of their batches.
    pub salvaged_bytes: u64,
    /// Events that are missing: as many stand-ins are in the new store.
    pub missing: u64,
    /// Stand-ins that have a stream and a revision, because later events of the stream show that these are missing.
    pub in_streams: u64,
    /// What is damaged, in the order of the log. The positions of these are what is missing; where they are empty, no event is.
    pub damage: Vec<Damage>,
    /// What stands at the end of the log and is no batch: nothing tells whether events were lost there.
    pub doubtful_end: Option<Damage>,
}
