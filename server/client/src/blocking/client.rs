//! A client of one store: the blocking half.

use super::worker::Hold;
use super::{BlockingCursor, BlockingSubscription, BlockingTicket};
use crate::core::{Outcome, target};
use crate::{Address, Client, ClientOptions, ConnectError, IndexFindings, LogFindings, Work};
use gesta_model::{
    AppendError, AppendRequest, EventReader, EventStore, Incarnation, Loaded, NameCount, NameKind, Pace, Position,
    ProjectionBoard, ProjectionReport, ProjectionStatus, Read, ReadError, Receipt, RemoteError, Revision, Selection,
    Snapshot, SnapshotError, SnapshotInfo, SnapshotKey, StoredEvent, StreamName, Uuid, WaitError,
};
use std::sync::Arc;
use std::time::Duration;

/// A client of one store of a server, as any store of events. Cheap to clone, and for use from many threads at once; not from
/// within a runtime, whose threads must not block.
///
/// ```no_run
/// # use gesta_client::{BlockingClient, ClientOptions};
/// # use gesta_model::{AppendRequest, Event, EventStore, EventType};
/// let client = BlockingClient::connect("gesta://localhost".parse()?, ClientOptions::default())?;
/// let receipt = client.append(AppendRequest::new().event(Event::new(EventType::new("Placed")?)))?;
/// println!("{:?}", receipt.positions);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BlockingClient {
    hold: Hold,
}

impl BlockingClient {
    /// A client of the store at an address, with a thread of its own that runs the connections whenever no caller does. They are
    /// opened as they are needed; a
    /// server that cannot be reached or does not let the client in is found out by the first request.
    ///
    /// When the last handle is dropped, ticket, cursor or client, it waits until what was submitted has its answer, though no
    /// longer than [`ClientOptions::retry_for`].
    pub fn connect(address: Address, options: ClientOptions) -> Result<Self, ConnectError> {
        Ok(Self { hold: Hold::new(target(address, options)?)? })
    }

    /// Where the store is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.hold.core.target.address
    }

    /// The figures of the store and of the server's work for it, as JSON.
    pub fn statistics(&self) -> Result<String, RemoteError> {
        self.hold.ask(self.client().statistics())
    }

    /// Has every byte of the log read; deep: each event's place and names checked as well.
    pub fn verify(&self, is_deep: bool, progress: impl FnMut(Work) + Send) -> Result<LogFindings, RemoteError> {
        // What is told of progress may wait for whatever it likes, here and below: the connections go on beside it.
        self.hold.wait_for(self.client().verify(is_deep, progress))
    }

    /// Has every byte of the index files read.
    pub fn verify_index(&self, progress: impl FnMut(Work) + Send) -> Result<IndexFindings, RemoteError> {
        self.hold.wait_for(self.client().verify_index(progress))
    }

    /// Has the index files made anew.
    pub fn rebuild_index(&self, progress: impl FnMut(Work) + Send) -> Result<(), RemoteError> {
        self.hold.wait_for(self.client().rebuild_index(progress))
    }

    /// Makes a store; see [`Client::create_store`].
    pub fn create_store(&self, name: &str) -> Result<(), RemoteError> {
        self.hold.ask(self.client().create_store(name))
    }

    /// The names of the stores that the client may know of.
    pub fn list_stores(&self) -> Result<Vec<String>, RemoteError> {
        self.hold.ask(self.client().list_stores())
    }

    /// Hands in an append, once there is room for it.
    fn hand_in(&self, request: AppendRequest) -> Result<Outcome, AppendError> {
        let core = &self.hold.core;
        let limits = match core.known_limits() {
            Some(limits) => limits,
            None => self.hold.ask(core.limits())?,
        };
        let (request, incarnation) = core.encode(request, &limits)?;
        let room = match core.room_now(&request) {
            Some(room) => room,
            None => self.hold.ask(core.room_for(&request)),
        };
        Ok(core.appends.append(request, incarnation, room))
    }

    /// The async half.
    fn client(&self) -> Client {
        Client { core: Arc::clone(&self.hold.core) }
    }
}

impl EventReader for BlockingClient {
    type Cursor = BlockingCursor;
    type Subscription = BlockingSubscription;

    fn read(&self, read: Read) -> Result<BlockingCursor, ReadError> {
        let cursor = self.hold.ask(self.client().read(read))?;
        Ok(BlockingCursor::new(cursor, self.hold.clone()))
    }

    fn subscribe(&self, read: Read, pace: Pace) -> Result<BlockingSubscription, ReadError> {
        let subscription = self.hold.ask(self.client().subscribe(read, pace))?;
        Ok(BlockingSubscription::new(subscription, self.hold.clone()))
    }

    fn head(&self) -> Result<Position, ReadError> {
        self.hold.ask(self.client().head())
    }

    fn store_id(&self) -> Result<Uuid, ReadError> {
        match self.hold.core.target.knowledge.store_id() {
            Some(id) => Ok(id),
            None => self.hold.ask(self.client().store_id()),
        }
    }

    fn receipt(&self, request_id: Uuid) -> Result<Option<Receipt>, ReadError> {
        self.hold.ask(self.client().receipt(request_id))
    }

    fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        self.hold.ask(self.client().stream_revision(stream))
    }

    fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError> {
        self.hold.ask(self.client().event(id))
    }

    fn names(&self, kind: NameKind, prefix: &str) -> Result<Vec<NameCount>, ReadError> {
        self.hold.ask(self.client().names(kind, prefix))
    }

    fn load(&self, key: &SnapshotKey, schema: u32, selection: Selection) -> Result<Loaded<BlockingCursor>, ReadError> {
        let Loaded { snapshot, events } = self.hold.ask(self.client().load(key, schema, selection))?;
        Ok(Loaded { snapshot, events: BlockingCursor::new(events, self.hold.clone()) })
    }

    fn snapshots(&self, prefix: &str) -> Result<Vec<SnapshotInfo>, ReadError> {
        self.hold.ask(self.client().snapshots(prefix))
    }
}

impl EventStore for BlockingClient {
    type Ticket = BlockingTicket;

    fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        let outcome = self.hand_in(request)?;
        self.hold.ask(self.hold.core.outcome(outcome))
    }

    fn submit(&self, request: AppendRequest) -> Result<BlockingTicket, AppendError> {
        let outcome = self.hand_in(request)?;
        self.hold.call();
        Ok(BlockingTicket::new(outcome, self.hold.clone()))
    }

    fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), SnapshotError> {
        self.hold.ask(self.client().save_snapshot(&snapshot))
    }

    fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError> {
        self.hold.ask(self.client().drop_snapshots(prefix))
    }

    fn is_lost(&self, given_in: Incarnation, position: Position) -> Result<bool, ReadError> {
        self.hold.ask(self.client().is_lost(given_in, position))
    }
}

impl ProjectionBoard for BlockingClient {
    fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Result<Vec<String>, ReadError> {
        self.hold.ask(self.client().tell_projections(statuses))
    }

    fn projections(&self, prefix: &str) -> Result<Vec<ProjectionReport>, ReadError> {
        self.hold.ask(self.client().projections(prefix))
    }

    fn wait_for_projection(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        self.hold.ask(self.client().wait_for_projection(name, position, timeout))
    }

    fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError> {
        self.hold.ask(self.client().ask_to_replay_parked(name))
    }
}
