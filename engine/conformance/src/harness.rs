//! How the suite comes by stores.

use gesta_model::{
    AppendError, AppendRequest, EventReader, EventStore, Incarnation, Limits, Loaded, NameCount, NameKind, Pace,
    Position, ProjectionBoard, ProjectionReport, ProjectionStatus, Read, ReadError, Receipt, Revision, Selection,
    Snapshot, SnapshotError, SnapshotInfo, SnapshotKey, StoredEvent, StreamName, Uuid, WaitError,
};
use std::time::Duration;

/// Makes the stores that the suite asks. Each test makes a harness of its own, and tests run side by side.
pub trait Harness {
    /// What is held to the contract; [`Placed`] is one together with its directory or its server.
    type Store: EventStore;

    /// An empty store that nobody else uses and that does not find events by their ids.
    fn fresh(&self) -> Self::Store;

    /// An empty store that nobody else uses and that finds events by their ids.
    fn fresh_with_event_ids(&self) -> Self::Store;

    /// Closes a store in an orderly way and begins its next life: of a server, the server is started anew.
    fn reopen(&self, store: Self::Store) -> Self::Store;

    /// The limits of the stores.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// A store, and what must be there as long as it is, such as its directory. The store is dropped first.
#[derive(Debug)]
pub struct Placed<S, P> {
    /// The store.
    pub store: S,
    /// What it needs to be there.
    pub place: P,
}

impl<S: EventStore, P: Send + Sync> EventReader for Placed<S, P> {
    type Cursor = S::Cursor;
    type Subscription = S::Subscription;

    fn read(&self, read: Read) -> Result<S::Cursor, ReadError> {
        self.store.read(read)
    }

    fn subscribe(&self, read: Read, pace: Pace) -> Result<S::Subscription, ReadError> {
        self.store.subscribe(read, pace)
    }

    fn head(&self) -> Result<Position, ReadError> {
        self.store.head()
    }

    fn store_id(&self) -> Result<Uuid, ReadError> {
        self.store.store_id()
    }

    fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError> {
        self.store.receipt(request_id)
    }

    fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        self.store.stream_revision(stream)
    }

    fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError> {
        self.store.event(id)
    }

    fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError> {
        self.store.names(kind, prefix)
    }

    fn load(&self, key: &SnapshotKey, schema: u32, selection: Selection) -> Result<Loaded<S::Cursor>, ReadError> {
        self.store.load(key, schema, selection)
    }

    fn snapshots(&self, prefix: &str) -> Result<Vec<SnapshotInfo>, ReadError> {
        self.store.snapshots(prefix)
    }
}

impl<S: EventStore, P: Send + Sync> EventStore for Placed<S, P> {
    type Ticket = S::Ticket;

    fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.store.append(request)
    }

    fn submit(&self, request: AppendRequest) -> Result<S::Ticket, AppendError> {
        self.store.submit(request)
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), SnapshotError> {
        self.store.save_snapshot(snapshot)
    }

    fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError> {
        self.store.drop_snapshots(prefix)
    }

    fn is_lost(&self, given_in: Incarnation, position: Position) -> Result<bool, ReadError> {
        self.store.is_lost(given_in, position)
    }
}

impl<S: EventStore, P: Send + Sync> ProjectionBoard for Placed<S, P> {
    fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        self.store.tell_projections(statuses)
    }

    fn projections(&self, prefix: &str) -> Result<Vec<ProjectionReport>, ReadError> {
        self.store.projections(prefix)
    }

    fn wait_for_projection(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        self.store.wait_for_projection(name, position, timeout)
    }

    fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError> {
        self.store.ask_to_replay_parked(name)
    }
}
