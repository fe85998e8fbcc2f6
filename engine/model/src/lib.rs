//! The vocabulary and the bytes of gesta, an event store.
//!
//! This crate is pure: it opens no file, reads no clock, draws no randomness and holds no `unsafe`. Both ends of a
//! connection and both sides of the engine use the same types and the same bytes from here.
//!
//! ```text
//!  vocabulary   Event, StreamName, EventType, Tag, Payload, Timestamp, Position, Revision, ...
//!  query        which events are meant: Query = QueryItem | QueryItem | ...
//!  appending    AppendRequest -> EncodedRequest -> Receipt | AppendError, such as Conflict
//!  reading      Read -> Record, Notice | ReadError, such as Damage
//!  snapshots    SnapshotKey, Snapshot, Loaded: saved fold states, with the events after them
//!  projections  ProjectionStatus: how folding read models goes, as a store is told
//!  store        EventReader, EventStore: what every store can do, linked into the program or behind a server
//!  codec        record | request | batch | segment: what lies on disk and travels on the wire
//!  limits       how large each of these may be
//! ```
//!
//! docs/FORMAT.md draws every byte; docs/GLOSSARY.md gives each word its one meaning.
#![forbid(unsafe_code)]

mod append_error;
mod append_request;
mod category;
pub mod codec;
mod conflict;
mod damage;
mod durability;
mod encoded_request;
mod event;
mod event_store;
mod event_type;
mod expected_revision;
mod explanation;
mod foreign_request;
pub mod limits;
mod name;
mod name_count;
mod notice;
mod pace;
mod partition_key;
mod payload;
mod position;
mod projection;
mod projection_board;
mod query;
mod read;
mod read_error;
mod receipt;
mod remote_error;
mod snapshot;
mod snapshot_error;
mod snapshot_key;
mod stored_event;
mod stream_name;
mod tag;
mod timestamp;

pub use append_error::AppendError;
pub use append_request::{AppendRequest, Check};
pub use category::Category;
pub use codec::Record;
pub use conflict::{Conflict, FailedCheck};
pub use damage::Damage;
pub use durability::Durability;
pub use encoded_request::{EncodedRequest, RequestError};
pub use event::Event;
pub use event_store::{AppendTicket, EventCursor, EventReader, EventStore, EventSubscription};
pub use event_type::EventType;
pub use expected_revision::ExpectedRevision;
pub use explanation::Explanation;
pub use foreign_request::ForeignRequest;
pub use limits::Limits;
pub use name::NameError;
pub use name_count::{NameCount, NameKind};
pub use notice::Notice;
pub use pace::Pace;
pub use partition_key::PartitionKey;
pub use payload::Payload;
pub use position::{Incarnation, Position, Revision};
pub use projection::{ProjectionId, ProjectionReport, ProjectionState, ProjectionStatus};
pub use projection_board::{ProjectionBoard, WaitError};
pub use query::{Query, QueryError, QueryItem, QueryTextError};
pub use read::{Read, Selection};
pub use read_error::ReadError;
pub use receipt::Receipt;
pub use remote_error::RemoteError;
pub use snapshot::{Loaded, Snapshot, SnapshotInfo};
pub use snapshot_error::SnapshotError;
pub use snapshot_key::SnapshotKey;
pub use stored_event::StoredEvent;
pub use stream_name::StreamName;
pub use tag::Tag;
pub use timestamp::Timestamp;
pub use uuid::Uuid;
