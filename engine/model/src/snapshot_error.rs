//! Why a snapshot was not saved, or snapshots were not dropped.

use crate::{Damage, Position, RemoteError};
use std::io;
use std::sync::Arc;
use thiserror::Error;

/// Why a snapshot was not saved, or snapshots were not dropped. What was there before is still there, or is not; either
/// way nothing but time is lost.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It claims to hold events that are not readable yet.
    #[error(
        "the snapshot is of position {position}, and the log is readable up to {head}: save it once its events are durable"
    )]
    AheadOfHead {
        /// The position of the snapshot.
        position: Position,
        /// The first position not yet readable.
        head: Position,
    },
    /// It is larger than is kept.
    #[error("the snapshot has {bytes} bytes of data, at most {max} are kept: save less, or raise `snapshot_bytes_max`")]
    TooLarge {
        /// How large its data is.
        bytes: u64,
        /// How large it may be.
        max: u64,
    },
    /// The last event that is folded in cannot be read, so the snapshot could not be told from one of another log.
    #[error("{0}: restore the file from a backup")]
    Damaged(Damage),
    /// The disk failed, or is full.
    #[error("snapshots cannot be written ({cause}): look after the disk; the events are not touched by it")]
    Storage {
        /// What the disk said.
        cause: Arc<io::Error>,
    },
    /// The store is degraded: nothing is written to it.
    #[error("durable events of the store are damaged, so nothing is written to it: restore it from a backup")]
    ReadOnly,
    /// The store was closed.
    #[error("the store is closed: open it again")]
    Closed,
    /// The server, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}
