//! Where a store is: in a directory of this machine, or behind a server. Verbs see a store of events either way.

use gesta::{
    AppendError, AppendRequest, AppendTicket, EventCursor, EventReader, EventStore, EventSubscription, Explanation,
    Incarnation, Loaded, NameCount, NameKind, Notice, Pace, Position, ProjectionBoard, ProjectionReport,
    ProjectionStatus, Read, ReadError, Receipt, Record, Revision, Selection, Snapshot, SnapshotError, SnapshotInfo,
    SnapshotKey, StoredEvent, StreamName, Timestamp, Uuid, WaitError,
};
use gesta_client::{BlockingClient, BlockingCursor, BlockingSubscription, BlockingTicket};
use std::time::Duration;

/// A store, or what comes of one, in a directory or behind a server.
pub(crate) enum Place<D, S = BlockingClient> {
    /// In a directory.
    Directory(D),
    /// Behind a server.
    Server(S),
}

/// The same of whichever it is.
macro_rules! either {
    ($place:expr, $it:ident => $same:expr) => {
        match $place {
            Place::Directory($it) => $same,
            Place::Server($it) => $same,
        }
    };
}

impl<D: EventReader> EventReader for Place<D> {
    type Cursor = Place<D::Cursor, BlockingCursor>;
    type Subscription = Place<D::Subscription, BlockingSubscription>;

    fn read(&self, read: Read) -> Result<Self::Cursor, ReadError> {
        match self {
            Self::Directory(store) => store.read(read).map(Place::Directory),
            Self::Server(client) => client.read(read).map(Place::Server),
        }
    }

    fn subscribe(&self, read: Read, pace: Pace) -> Result<Self::Subscription, ReadError> {
        match self {
            Self::Directory(store) => store.subscribe(read, pace).map(Place::Directory),
            Self::Server(client) => client.subscribe(read, pace).map(Place::Server),
        }
    }

    fn head(&self) -> Result<Position, ReadError> {
        either!(self, store => store.head())
    }

    fn store_id(&self) -> Result<Uuid, ReadError> {
        either!(self, store => store.store_id())
    }

    fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError> {
        either!(self, store => store.receipt(request_id))
    }

    fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        either!(self, store => store.stream_revision(stream))
    }

    fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError> {
        either!(self, store => store.event(id))
    }

    fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError> {
        either!(self, store => store.names(kind, prefix))
    }

    fn load(&self, key: &SnapshotKey, schema: u32, selection: Selection) -> Result<Loaded<Self::Cursor>, ReadError> {
        Ok(match self {
            Self::Directory(store) => {
                let Loaded { snapshot, events } = store.load(key, schema, selection)?;
                Loaded { snapshot, events: Place::Directory(events) }
            }
            Self::Server(client) => {
                let Loaded { snapshot, events } = client.load(key, schema, selection)?;
                Loaded { snapshot, events: Place::Server(events) }
            }
        })
    }

    fn snapshots(&self, prefix: &str) -> Result<Vec<SnapshotInfo>, ReadError> {
        either!(self, store => store.snapshots(prefix))
    }
}

impl<D: EventStore> EventStore for Place<D> {
    type Ticket = Place<D::Ticket, BlockingTicket>;

    fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        either!(self, store => store.append(request))
    }

    fn submit(&self, request: AppendRequest) -> Result<Self::Ticket, AppendError> {
        match self {
            Self::Directory(store) => store.submit(request).map(Place::Directory),
            Self::Server(client) => client.submit(request).map(Place::Server),
        }
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), SnapshotError> {
        either!(self, store => store.save_snapshot(snapshot))
    }

    fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError> {
        either!(self, store => store.drop_snapshots(prefix))
    }

    fn is_lost(&self, given_in: Incarnation, position: Position) -> Result<bool, ReadError> {
        either!(self, store => store.is_lost(given_in, position))
    }
}

impl<D: AppendTicket, S: AppendTicket> AppendTicket for Place<D, S> {
    fn wait(self) -> Result<Receipt, AppendError> {
        either!(self, ticket => ticket.wait())
    }
}

impl<D: EventCursor, S: EventCursor> EventCursor for Place<D, S> {
    fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        either!(self, cursor => cursor.next_record())
    }

    fn head(&self) -> Position {
        either!(self, cursor => cursor.head())
    }

    fn recorded_at(&self) -> Option<Timestamp> {
        either!(self, cursor => cursor.recorded_at())
    }

    fn explain(&self) -> Explanation {
        either!(self, cursor => cursor.explain())
    }
}

impl<D: EventSubscription, S: EventSubscription> EventSubscription for Place<D, S> {
    fn next(&mut self, timeout: Duration) -> Result<Notice<'_>, ReadError> {
        either!(self, subscription => subscription.next(timeout))
    }

    fn position(&self) -> Position {
        either!(self, subscription => subscription.position())
    }

    fn recorded_at(&self) -> Option<Timestamp> {
        either!(self, subscription => subscription.recorded_at())
    }
}

impl<D: EventReader> ProjectionBoard for Place<D> {
    fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        either!(self, store => store.tell_projections(statuses))
    }

    fn projections(&self, prefix: &str) -> Result<Vec<ProjectionReport>, ReadError> {
        either!(self, store => store.projections(prefix))
    }

    fn wait_for_projection(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        either!(self, store => store.wait_for_projection(name, position, timeout))
    }

    fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError> {
        either!(self, store => store.ask_to_replay_parked(name))
    }
}
