//! Why a command did not come to its end.

use crate::{BoundaryError, DecodeError, EncodeError};
use gesta_model::{AppendError, Conflict, ReadError, SnapshotError};
use thiserror::Error;

/// Why a command did not come to its end.
#[derive(Debug, Error)]
pub enum HandleError<R> {
    /// The domain refuses it.
    #[error("the command is refused")]
    Refused(R),
    /// Something else came first, each time that it was tried.
    #[error("the command met a conflict each of {attempts} times: {conflict}")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
        /// The last conflict.
        conflict: Conflict,
    },
    /// Its boundary cannot be.
    #[error("the boundary of the command: {0}")]
    Boundary(#[from] BoundaryError),
    /// An event of the boundary cannot be read: without it nothing can be decided.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// An event that was decided on cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// An event names no stream, and the boundary of the command is several.
    #[error("the event {event_type:?} names no stream, and the boundary has several: name it in describe")]
    NoStream {
        /// The type of the event.
        event_type: String,
    },
    /// The code of the domain panicked: a decider, or how an event is written or read. Nothing was appended.
    #[error("the domain's code panicked: {0}")]
    Panicked(String),
    /// The events of the boundary cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The events cannot be appended.
    #[error(transparent)]
    Append(AppendError),
}

/// Why a snapshot that was due was not saved. The command is not touched by it.
#[derive(Debug, Error)]
pub enum SnapshotFailure {
    /// The state cannot be written.
    #[error("the state cannot be written as JSON: {0}")]
    State(serde_json::Error),
    /// Writing the state panicked.
    #[error("writing the state panicked: {0}")]
    Panicked(String),
    /// The boundary is too long for a key.
    #[error("the boundary is too long for the key of a snapshot")]
    Key,
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] SnapshotError),
}
