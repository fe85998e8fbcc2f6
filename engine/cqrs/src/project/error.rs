//! Why projections do not run, and why their parked events are not tried again.

use gesta_model::{Position, ProjectionId, ProjectionState, Uuid};
use std::error::Error;
use thiserror::Error;

/// Why a projection cannot be folded at all, until somebody looks after it.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Its rows are those of another store.
    #[error(
        "the read model of {projection} was folded from store {theirs}, and this is store {ours}: give this store a read \
         model of its own, or delete the rows"
    )]
    ForeignStore {
        /// The projection.
        projection: ProjectionId,
        /// The store that its rows are from.
        theirs: Uuid,
        /// The store at hand.
        ours: Uuid,
    },
    /// It has come further than the log goes.
    #[error(
        "the read model of {projection} stands at position {position}, and the log ends at {head}: the log was put back \
         to an earlier time; delete the rows and have them folded again"
    )]
    Ahead {
        /// The projection.
        projection: ProjectionId,
        /// Its checkpoint.
        position: Position,
        /// The head of the log.
        head: Position,
    },
    /// What has to be there before the first event cannot be made.
    #[error("{projection} cannot be set up: {error}")]
    SetUp {
        /// The projection.
        projection: ProjectionId,
        /// What it said.
        error: Box<dyn Error + Send + Sync>,
    },
    /// A rebuild was broken off.
    #[error("a rebuild of {projection} in {part_count} parts was not finished: run it again, with as many parts")]
    InParts {
        /// The projection.
        projection: ProjectionId,
        /// How many parts there are.
        part_count: u32,
    },
    /// Its rows cannot be made those that queries see.
    #[error(
        "{projection} cannot take over: {error}: mend its `take_over` and start again; the earlier version goes on serving"
    )]
    TakeOver {
        /// The projection.
        projection: ProjectionId,
        /// What it said.
        error: Box<dyn Error + Send + Sync>,
    },
}

/// Why a runner has ended.
#[derive(Debug, Error)]
pub enum RunError {
    /// The runner's thread cannot be started.
    #[error("no thread for the projections: {0}")]
    Thread(std::io::Error),
    /// It panicked, which is a mistake of this library.
    #[error("the runner panicked")]
    Panicked,
}

/// Why the parked events of a projection are not tried again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// It is not being folded just now, by this runner.
    #[error("projection {projection} is not folded by this runner just now, but {state:?}: try again when it is live")]
    NotFolding {
        /// The projection.
        projection: String,
        /// What it is doing.
        state: ProjectionState,
    },
    /// The runner does not have it.
    #[error("there is no projection {projection:?} in this runner")]
    Unknown {
        /// The name that was given.
        projection: String,
    },
    /// The runner has ended.
    #[error("projection {projection} is not folded any more: its runner has ended")]
    Ended {
        /// The projection.
        projection: String,
    },
}
