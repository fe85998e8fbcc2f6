//! Why an append was not made, or its outcome is not known.

use crate::{Conflict, Position, RemoteError, RequestError, Revision, StreamName, Uuid};
use std::io;
use std::sync::Arc;
use thiserror::Error;

/// Why an append was not made.
///
/// After every variant but [`AppendError::Poisoned`] and an unknown outcome of [`AppendError::Remote`], nothing of the
/// request is in the log.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The request breaks a limit.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A check did not hold.
    #[error("conflict: {0}")]
    Conflict(Conflict),
    /// The request id stands in the log already, with other events.
    #[error(
        "request id {id} was used before, for other events (from position {first} on): give every request an id of its own"
    )]
    RequestIdReused {
        /// The request id.
        id: Uuid,
        /// Where the events of the earlier request begin.
        first: Position,
    },
    /// Some of the events are in the log already, under the same ids, and some are not.
    #[error(
        "the event at position {position} (revision {revision} of stream {:?}) has the same id, but later ones differ: it \
         was appended before as part of another request; read the stream and append what is missing", stream.as_str()
    )]
    PartialMatch {
        /// The stream whose expected revision did not hold.
        stream: StreamName,
        /// The first revision after the expected one.
        revision: Revision,
        /// Where the event with the same id stands.
        position: Position,
    },
    /// A write or sync failed, now or earlier. Whether the request is in the log is known after the store was opened
    /// again.
    #[error(
        "the log cannot be written since a write or sync failed ({cause}): close the store, look after the disk, open it again"
    )]
    Poisoned {
        /// What the disk said first.
        cause: Arc<io::Error>,
    },
    /// The disk has no room for another segment. Appends are taken again as soon as there is room.
    #[error("no room on the disk for the next segment of {bytes} bytes ({cause}): free some space and append again")]
    StorageFull {
        /// Bytes of the segment that could not be made.
        bytes: u64,
        /// What the disk said.
        cause: Arc<io::Error>,
    },
    /// The next segment could not be made, for another reason than a full disk. The next append tries again.
    #[error("the next segment of the log could not be made ({cause}): remove the cause and append again")]
    NoSegment {
        /// What the disk said.
        cause: Arc<io::Error>,
    },
    /// Durable events are damaged: everything else can be read, nothing can be appended.
    #[error("the store is degraded, durable events are damaged ({damage}): restore it from a backup before appending")]
    Degraded {
        /// The first damage.
        damage: String,
    },
    /// The store was closed.
    #[error("the store is closed: open it again")]
    Closed,
    /// The server, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}
