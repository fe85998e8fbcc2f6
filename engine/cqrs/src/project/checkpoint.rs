//! How far a projection has come, and in which store.

use super::Parked;
use gesta_model::{Position, ProjectionId, Uuid};

/// How far a projection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The store whose events were folded.
    pub store_id: Uuid,
    /// Every event below it was folded or parked, or is not of the projection.
    pub position: Position,
}

/// What a read model commits beside the rows.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// Whose rows these are.
    pub projection: &'s ProjectionId,
    /// Where the projection stands before; `None` when it has not begun.
    pub from: Option<Checkpoint>,
    /// Where it stands after.
    pub to: Checkpoint,
    /// Events that were passed by for the time being.
    pub parked: &'s [Parked],
    /// Positions of events that are parked no longer: their rows are in this step.
    pub unparked: &'s [Position],
}
