//! How a projection is doing.

use super::ProjectionId;
use gesta_model::Position;

/// How a projection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Which one.
    pub projection: ProjectionId,
    /// Every event below it is folded or parked, or is not of the projection.
    pub position: Position,
    /// How many positions lie between it and the head of the log.
    pub lag: u64,
    /// How many events are parked.
    pub parked_count: u64,
    /// What it is doing.
    pub state: ProjectionState,
}

/// What a projection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectionState {
    /// Another runner has it; this one takes over when that one ends.
    Standby,
    /// It is behind, and folding.
    CatchingUp,
    /// It folds events as they come.
    Live,
    /// Its read model fails, and is tried again.
    Retrying {
        /// What went wrong last.
        error: String,
        /// How often in a row.
        failures: u32,
    },
    /// It cannot go on until somebody looks after it.
    Failed {
        /// Why.
        error: String,
    },
}
