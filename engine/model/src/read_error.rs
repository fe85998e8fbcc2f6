//! Why events cannot be read.

use crate::{Damage, Incarnation, Position, RemoteError};
use std::error::Error as StdError;
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
    #[error("{}cannot be read: {error}: look after the disk and the system's limits", named(path, error))]
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
    /// A position was given out in a life of the log whose end was lost: it may stand for another event now.
    #[error(
        "position {position} of incarnation {given_in} was lost with the unsynced end of the log: what was built from it \
         holds events that are gone; build it again from an earlier position"
    )]
    LostTail {
        /// The life of the log that gave it out.
        given_in: Incarnation,
        /// The position.
        position: Position,
    },
    /// Another process's log could not be looked at again.
    #[error("{0}")]
    Refresh(#[source] Box<dyn StdError + Send + Sync>),
    /// The server, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// The file, unless the disk names it by itself.
fn named(path: &str, error: &io::Error) -> String {
    if error.to_string().starts_with(path) { String::new() } else { format!("{path}: ") }
}
