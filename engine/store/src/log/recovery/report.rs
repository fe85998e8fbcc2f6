//! What opening a log found.

use gesta_model::{Damage, Incarnation, Position};

/// What opening a log found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// The life of the log that began with this opening.
    pub incarnation: Incarnation,
    /// The first position not yet given out.
    pub tail: Position,
    /// Bytes of a torn tail that were cut: writes that a power cut interrupted, promised to nobody.
    pub torn_bytes: u64,
    /// The torn tail holds bytes that are not zero, and nothing tells them from the last acknowledged batch, damaged. Only
    /// another copy of the store could tell.
    pub ambiguous_tail: bool,
    /// Bytes that no later evidence covered and that were made durable once more.
    pub rewritten_bytes: u64,
    /// Whether the last life ended with a clean close.
    pub closed_cleanly: bool,
    /// What is damaged; a damaged mark costs no events and is only noted.
    pub damage: Vec<Damage>,
    /// Durable events may be missing: everything else can be read, nothing can be appended.
    pub is_degraded: bool,
}
