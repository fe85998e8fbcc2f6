//! Where those who fold projections say how far they are, and where others look or wait.

use crate::{Position, ProjectionReport, ProjectionStatus, ReadError};
use std::time::Duration;
use thiserror::Error;

/// What a store knows of the projections that are folded from it, which is what it was told. Nothing here is part of the log:
/// it may be lost with the process, and is told again.
///
/// What is kept is bounded by `PROJECTION_NAME_BYTES_MAX`, `PROJECTION_ERROR_BYTES_MAX` and `PROJECTION_COUNT_MAX` of
/// [`limits`](crate::limits).
pub trait ProjectionBoard: Send + Sync {
    /// Tells how projections are doing. Returns the names of those of them whose parked events are to be tried again now; with
    /// the next telling after that they have been. A projection whose read model fails is asked once it folds again.
    ///
    /// One that stands by hides nothing that was told by whoever folds it, and is asked nothing.
    fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError>;

    /// What was told of all projections whose names begin with `prefix`, in the order of names and versions.
    fn projections(&self, prefix: &str) -> Result<Vec<ProjectionReport>, ReadError>;

    /// Waits until the version of a projection that serves is told to have folded everything below a position.
    ///
    /// What was told in an earlier life of the store does not count: the rows may have been dropped since.
    fn wait_for_projection(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError>;

    /// Asks whoever folds a projection to try its parked events again; `false` when nothing was ever told of it.
    fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError>;
}

/// Why a projection is not waited for any longer.
#[derive(Debug, Error)]
pub enum WaitError {
    /// It has not come so far in time.
    #[error("projection {projection} stands at position {position} after {waited:?}, which is before {wanted}")]
    TimedOut {
        /// The projection.
        projection: String,
        /// Where it stands.
        position: Position,
        /// Where it was to be.
        wanted: Position,
        /// How long it was waited for.
        waited: Duration,
    },
    /// It failed for good, or whoever folded it has ended; the latter is known within its own process alone.
    #[error("projection {projection} is not folded any more: {reason}")]
    Ended {
        /// The projection.
        projection: String,
        /// Why.
        reason: String,
    },
    /// Nobody has told of it.
    #[error("nobody has told of a projection {projection:?}: is it folded, and is that its name?")]
    Unknown {
        /// The name that was given.
        projection: String,
    },
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] ReadError),
}
