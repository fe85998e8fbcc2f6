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
    /// The store was not made to find events by their ids.
    #[error(
        "the store does not index event ids: make a store with `index_event_ids` and import the events, or read them all"
    )]
    NoEventIds,
    /// The disk failed.
    #[error("{}", describe_failure(path, "cannot be read", error))]
    Io {
        /// The file.
        path: String,
        /// What the disk said.
        error: io::Error,
    },
    /// A subscription was asked for events that a power cut may still take.
    #[error(
        "a subscription shows only what is durable, so that its position is a checkpoint for ever: subscribe without \
         `unsynced`"
    )]
    UnsyncedSubscription,
    /// Another process's log could not be looked at again.
    #[error(transparent)]
    Refresh(#[from] OpenError),
}
