//! What every store of events can do, be it linked into the program or behind a server.

use crate::{
    AppendError, AppendRequest, Explanation, Incarnation, Loaded, NameCount, NameKind, Notice, Pace, Position,
    ProjectionBoard, Read, ReadError, Receipt, Record, Revision, Selection, Snapshot, SnapshotError, SnapshotInfo,
    SnapshotKey, StoredEvent, StreamName, Timestamp, Uuid,
};
use std::time::Duration;

/// The query side of a store of events. Calls block until they have their answer.
///
/// Read models and everything else that only reads see no more than this.
pub trait EventReader: ProjectionBoard {
    /// A bounded read, which another thread may go on with.
    type Cursor: EventCursor + Send;
    /// An unbounded read.
    type Subscription: EventSubscription;

    /// Reads events up to the head as of now.
    fn read(&self, read: Read) -> Result<Self::Cursor, ReadError>;

    /// Reads events, and goes on with those that are appended later: forward, and only what is durable. What cannot be
    /// subscribed to is refused here, or each time that the subscription is asked for more.
    fn subscribe(&self, read: Read, pace: Pace) -> Result<Self::Subscription, ReadError>;

    /// The first position not yet readable.
    fn head(&self) -> Result<Position, ReadError>;

    /// The name that the store was given when it was made: positions and checkpoints mean something with it alone.
    fn store_id(&self) -> Result<Uuid, ReadError>;

    /// The receipt of the append that was made under a request id, as making it again would get it; `None` when no readable
    /// event was appended under it.
    fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError>;

    /// The last revision of a stream; `None` when it has no readable events.
    fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError>;

    /// The event with an id, the last one where several have it; for stores that were made to tell.
    fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError>;

    /// All names of a kind that begin with `prefix`, in the order of their bytes.
    fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError>;

    /// The newest snapshot of a key and schema, and the events of a selection that it does not hold. A snapshot that is not
    /// whole, or not of this log, is none; without one the events are those from the start.
    fn load(&self, key: &SnapshotKey, schema: u32, selection: Selection) -> Result<Loaded<Self::Cursor>, ReadError>;

    /// All snapshots whose keys begin with `prefix`, in the order of their keys' bytes and their schemas.
    fn snapshots(&self, prefix: &str) -> Result<Vec<SnapshotInfo>, ReadError>;
}

/// A store of events, to append to and to read. Calls block until they have their answer.
///
/// The store of `gesta` implements it, and so does the client of a server; one suite of tests holds both to the same
/// meaning. Code that sees only this trait runs on either.
pub trait EventStore: EventReader {
    /// The outcome of a submitted append, now or later.
    type Ticket: AppendTicket;

    /// Appends events and waits for the durability that the request asks for.
    fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError>;

    /// Appends events without waiting but for room: the ticket has the outcome. Requests of one thread are taken in the
    /// order in which they are submitted.
    fn submit(&self, request: AppendRequest) -> Result<Self::Ticket, AppendError>;

    /// Keeps a snapshot for [`EventReader::load`], for as long as there is room; a later one of its key and schema that is kept
    /// stays. What it holds must be below the readable head.
    fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), SnapshotError>;

    /// Drops all snapshots whose keys begin with `prefix`, for good; returns how many.
    fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError>;

    /// Whether a position that was given out in a life of the log was lost with the unsynced end of it.
    fn is_lost(&self, given_in: Incarnation, position: Position) -> Result<bool, ReadError>;
}

/// A promise of a receipt. Dropping it does not undo the append.
pub trait AppendTicket {
    /// Waits for the outcome.
    fn wait(self) -> Result<Receipt, AppendError>;
}

/// Events in order, up to the head as of the read.
pub trait EventCursor {
    /// The next record; `None` when all have been read. After [`ReadError::Damaged`] the next call goes on beyond it.
    fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>>;

    /// The first position that was not readable when the read began: what a later
    /// [`unless`](AppendRequest::unless) passes as `after`.
    fn head(&self) -> Position;

    /// When the store took the event that was read last.
    fn recorded_at(&self) -> Option<Timestamp>;

    /// What finding the events has cost so far.
    fn explain(&self) -> Explanation;
}

/// Events from a place on, without end.
pub trait EventSubscription {
    /// The next event, or what else there is to say, waiting for it as long as `timeout`.
    fn next(&mut self, timeout: Duration) -> Result<Notice<'_>, ReadError>;

    /// Everything below it was handed out, or is not of this subscription.
    fn position(&self) -> Position;

    /// When the store took the event that was handed out last.
    fn recorded_at(&self) -> Option<Timestamp>;
}
