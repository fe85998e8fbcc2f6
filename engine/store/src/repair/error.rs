//! Why a store was not repaired.

use crate::log::{NotVacant, OpenError};
use gesta_model::{Position, Revision};
use std::io::{self, ErrorKind};
use thiserror::Error;

/// Why a store was not repaired. The damaged store is as it was, and nothing was made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RepairError {
    /// The damaged store cannot be opened, or is open for writing elsewhere.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The directory for the new store holds something.
    #[error("{path}: the directory is not empty (it holds {found:?}): repair into one that is empty or does not exist")]
    NotEmpty {
        /// The directory.
        path: String,
        /// What it holds.
        found: String,
    },
    /// The revisions that a stream misses have no place among the positions that are lost.
    #[error(
        "position {position}: revision {revision} of stream {stream:?} stands there, and what is lost cannot make up for those \
         before it (the next one to follow is {expected}): restore a backup, for more than disks can do is wrong here"
    )]
    Revisions {
        /// The stream.
        stream: String,
        /// Where the event stands that shows it.
        position: Position,
        /// The revision that it has.
        revision: Revision,
        /// The revision that would follow on what stands before it.
        expected: Revision,
    },
    /// The store was not the same when it was read a second time.
    #[error(
        "{path}: around position {position} the disk did not show the same twice: copy the directory to a sound disk and repair \
         the copy"
    )]
    Unsteady {
        /// The store.
        path: String,
        /// Where.
        position: Position,
    },
    /// There is no room for the new store.
    #[error("{path}: no room for the new store ({error}): free some space, or repair into another directory")]
    StorageFull {
        /// The file or directory.
        path: String,
        /// What the disk said.
        error: io::Error,
    },
    /// The new store cannot be opened.
    #[error("the new store cannot be opened: {0}")]
    Made(OpenError),
    /// A disk failed, the damaged store's or the new one's.
    #[error("{path}: {what}: {error}: check the path, its permissions and the disk")]
    Io {
        /// The file or directory.
        path: String,
        /// What was tried.
        what: &'static str,
        /// What the disk said.
        error: io::Error,
    },
}

impl RepairError {
    /// Tells what was tried with which file when a disk failed.
    pub(super) fn io(path: String, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::StorageFull { path, error },
            _ => Self::Io { path, what, error },
        }
    }
}

impl From<NotVacant> for RepairError {
    fn from(error: NotVacant) -> Self {
        match error {
            NotVacant::Holds { path, found } => Self::NotEmpty { path, found },
            NotVacant::Io { path, what, error } => Self::io(path, what)(error),
        }
    }
}
