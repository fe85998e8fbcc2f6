//! Why events cannot be read.

use crate::log::{Damage, OpenError, describe_failure};
use std::io;
use thiserror::Error;

/// Why events cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Events are damaged. The next call goes on with the events beyond.
    #[error("{0}: restore the file from a backup, or read on from the position after")]
    Damaged(Damage),
    /// The disk failed.
    #[error("{}", describe_failure(path, "cannot be read", error))]
    Io {
        /// The file.
        path: String,
        /// What the disk said.
        error: io::Error,
    },
    /// Another process's log could not be looked at again.
    #[error(transparent)]
    Refresh(#[from] OpenError),
}
