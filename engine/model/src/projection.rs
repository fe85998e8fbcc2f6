//! Projections as a store hears of them: their names, and how those who fold them say that they are doing.

use crate::{Position, Timestamp};
use std::fmt;
use std::time::Duration;

/// A projection of a version: each version has rows and a checkpoint of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectionId {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
}

/// How a projection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Which one.
    pub projection: ProjectionId,
    /// Every event below it is folded or parked, or is not of the projection.
    pub position: Position,
    /// How many positions lie between it and the head of the log.
    pub lag: u64,
    /// Whether queries are answered from its rows.
    pub is_serving: bool,
    /// How many events are parked.
    pub parked_count: u64,
    /// How long it will still be behind, at the pace it has had; `None` when it is not behind, or has no pace yet.
    pub eta: Option<Duration>,
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
    /// It is behind, and folding, while an earlier version still serves.
    Building,
    /// It folds events as they come.
    Live,
    /// A later version has taken over; its rows stay as they are.
    Superseded {
        /// The version that serves now.
        by: u32,
    },
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

/// What a store was told of a projection last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionReport {
    /// How the projection was doing.
    pub status: ProjectionStatus,
    /// When that was told. Whoever folds it tells every second, and whenever something has changed.
    pub told_at: Timestamp,
    /// Whether its parked events are to be tried again, which has not come to an end yet.
    pub is_replay_due: bool,
}

impl fmt::Display for ProjectionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-v{}", self.name, self.version)
    }
}
