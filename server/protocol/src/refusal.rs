//! Why a request or a connection ends without what was asked for.
//!
//! ```text
//!  code u16 | flags u8 (1 the connection ends with this, 2 asking again may help) | message text16 | what the code adds
//! ```

use crate::append::read_stream;
use crate::fields::{FieldError, FieldReader, FieldWriter};
use gesta_model::{
    AppendError, Incarnation, Position, ReadError, RemoteError, Revision, SnapshotError, StreamName, Uuid, WaitError,
};
use std::io;
use std::sync::Arc;
use std::time::Duration;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// What a refusal is about. The numbers are for ever.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name = $code,)+
        }

        impl Code {
            /// Every code of this version.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code with a number, if this version knows it.
            #[must_use]
            pub fn of(number: u16) -> Option<Self> {
                match number {
                    $($code => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// What was sent is not what the protocol says.
    Protocol = 1,
    /// No version is spoken by both ends.
    Version = 2,
    /// A frame is larger than is taken.
    FrameTooLarge = 3,
    /// The credentials do not allow it; nothing is said about why.
    Denied = 4,
    /// There is no store of this name.
    UnknownStore = 5,
    /// This kind of request is for the other plane.
    WrongPlane = 6,
    /// There are too many connections.
    TooManyConnections = 7,
    /// The client took too long.
    Timeout = 8,
    /// The server is stopping.
    Stopping = 9,
    /// Too many requests of the connection are under way.
    TooManyRequests = 10,
    /// The server failed, which is a bug in it.
    Internal = 11,
    /// There is a store of this name already.
    StoreExists = 12,
    /// The name is not one that a store can have.
    StoreName = 13,
    /// The store cannot be opened.
    StoreUnavailable = 14,
    /// As many stores are open as may be.
    TooManyStores = 15,
    /// The request breaks a limit of the store.
    Request = 20,
    /// The request id was used before, for other events.
    RequestIdReused = 21,
    /// Some of the events are in the log already, under the same ids, and some are not.
    PartialMatch = 22,
    /// A write or sync failed: the server takes appends again after a restart.
    Poisoned = 23,
    /// The disk is full.
    StorageFull = 24,
    /// The log cannot grow, for another reason than a full disk.
    NoSegment = 25,
    /// Durable events are damaged: nothing is appended.
    Degraded = 26,
    /// The store was closed.
    Closed = 27,
    /// The store does not find events by their ids.
    NoEventIds = 41,
    /// A file cannot be read.
    Unreadable = 42,
    /// What goes on cannot show unsynced events.
    UnsyncedSubscription = 43,
    /// The position was lost with the unsynced end of the log.
    LostTail = 44,
    /// The snapshot is of events that are not readable yet.
    SnapshotAhead = 50,
    /// The snapshot is larger than is kept.
    SnapshotTooLarge = 51,
    /// Snapshots cannot be written.
    SnapshotStorage = 52,
    /// The projection has not come as far as it was waited for.
    ProjectionBehind = 60,
    /// The projection is not folded any more.
    ProjectionEnded = 61,
    /// Nobody has told of a projection of this name.
    UnknownProjection = 62,
}

/// What some codes add.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// Of [`Code::RequestIdReused`].
    RequestId {
        /// The request id.
        id: Uuid,
        /// Where the events of the earlier request begin.
        first: Position,
    },
    /// Of [`Code::PartialMatch`].
    Partial {
        /// The stream.
        stream: StreamName,
        /// The first revision after the expected one.
        revision: Revision,
        /// Where the event with the same id stands.
        position: Position,
    },
    /// Of [`Code::StorageFull`]: bytes of the segment that could not be made.
    Bytes(u64),
    /// Of [`Code::LostTail`].
    Lost {
        /// The life of the log that gave the position out.
        given_in: Incarnation,
        /// The position.
        position: Position,
    },
    /// Of [`Code::SnapshotAhead`].
    Ahead {
        /// The position of the snapshot.
        position: Position,
        /// The first position not yet readable.
        head: Position,
    },
    /// Of [`Code::SnapshotTooLarge`].
    Length {
        /// How large it is.
        bytes: u64,
        /// How large it may be.
        max: u64,
    },
    /// Of [`Code::ProjectionBehind`].
    Behind {
        /// Where the projection stands.
        position: Position,
        /// Where it was to be.
        wanted: Position,
        /// How long it was waited for, to the millisecond.
        waited: Duration,
    },
    /// Of [`Code::ProjectionEnded`]: why.
    Reason(String),
}

/// Why a request or a connection ends without what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What it is about: a [`Code`], if this version knows it.
    pub code: u16,
    /// The connection ends with this.
    pub is_fatal: bool,
    /// Asking again later may help.
    pub may_retry: bool,
    /// What happened, and what to do, for people.
    pub message: String,
    /// What the code adds.
    pub detail: Detail,
}

impl Refusal {
    /// A refusal of one request.
    #[must_use]
    pub fn new(code: Code, message: impl ToString) -> Self {
        let may_retry = matches!(
            code,
            Code::TooManyConnections
                | Code::Timeout
                | Code::Stopping
                | Code::TooManyRequests
                | Code::StorageFull
                | Code::NoSegment
                | Code::TooManyStores
                | Code::ProjectionBehind
        );
        Self { code: code as u16, is_fatal: false, may_retry, message: message.to_string(), detail: Detail::None }
    }

    /// The same, ending the connection.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.is_fatal = true;
        self
    }

    fn with(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// The code, if this version knows it.
    #[must_use]
    pub fn known_code(&self) -> Option<Code> {
        Code::of(self.code)
    }

    /// What the refusal means to whoever appends.
    #[must_use]
    pub fn to_append_error(&self, address: &str, store: &str) -> AppendError {
        let cause = || Arc::new(io::Error::other(self.message.clone()));
        match (self.known_code(), &self.detail) {
            (Some(Code::RequestIdReused), Detail::RequestId { id, first }) => {
                AppendError::RequestIdReused { id: *id, first: *first }
            }
            (Some(Code::PartialMatch), Detail::Partial { stream, revision, position }) => {
                AppendError::PartialMatch { stream: stream.clone(), revision: *revision, position: *position }
            }
            (Some(Code::Poisoned), _) => AppendError::Poisoned { cause: cause() },
            (Some(Code::StorageFull), Detail::Bytes(bytes)) => {
                AppendError::StorageFull { bytes: *bytes, cause: cause() }
            }
            (Some(Code::NoSegment), _) => AppendError::NoSegment { cause: cause() },
            (Some(Code::Degraded), _) => AppendError::Degraded { damage: "the server's log names the file".to_owned() },
            (Some(Code::Closed), _) => AppendError::Closed,
            _ => AppendError::Remote(self.to_remote_error(address, store)),
        }
    }

    /// What the refusal means to whoever reads.
    #[must_use]
    pub fn to_read_error(&self, address: &str, store: &str) -> ReadError {
        match (self.known_code(), &self.detail) {
            (Some(Code::NoEventIds), _) => ReadError::NoEventIds,
            (Some(Code::UnsyncedSubscription), _) => ReadError::UnsyncedSubscription,
            (Some(Code::Unreadable), _) => {
                ReadError::Io { path: address.to_owned(), error: io::Error::other(self.message.clone()) }
            }
            (Some(Code::LostTail), Detail::Lost { given_in, position }) => {
                ReadError::LostTail { given_in: *given_in, position: *position }
            }
            _ => ReadError::Remote(self.to_remote_error(address, store)),
        }
    }

    /// What the refusal means to whoever saves or drops snapshots.
    #[must_use]
    pub fn to_snapshot_error(&self, address: &str, store: &str) -> SnapshotError {
        match (self.known_code(), &self.detail) {
            (Some(Code::SnapshotAhead), Detail::Ahead { position, head }) => {
                SnapshotError::AheadOfHead { position: *position, head: *head }
            }
            (Some(Code::SnapshotTooLarge), Detail::Length { bytes, max }) => {
                SnapshotError::TooLarge { bytes: *bytes, max: *max }
            }
            (Some(Code::SnapshotStorage), _) => {
                SnapshotError::Storage { cause: Arc::new(io::Error::other(self.message.clone())) }
            }
            (Some(Code::Degraded), _) => SnapshotError::ReadOnly,
            (Some(Code::Closed), _) => SnapshotError::Closed,
            _ => SnapshotError::Remote(self.to_remote_error(address, store)),
        }
    }

    /// What the refusal means to whoever waits for a projection.
    #[must_use]
    pub fn to_wait_error(&self, address: &str, store: &str, projection: &str) -> WaitError {
        let projection = projection.to_owned();
        match (self.known_code(), &self.detail) {
            (Some(Code::ProjectionBehind), Detail::Behind { position, wanted, waited }) => {
                WaitError::TimedOut { projection, position: *position, wanted: *wanted, waited: *waited }
            }
            (Some(Code::ProjectionEnded), Detail::Reason(reason)) => {
                WaitError::Ended { projection, reason: reason.clone() }
            }
            (Some(Code::UnknownProjection), _) => WaitError::Unknown { projection },
            _ => WaitError::Store(self.to_read_error(address, store)),
        }
    }

    /// What the refusal means to whoever asks for anything else.
    #[must_use]
    pub fn to_remote_error(&self, address: &str, store: &str) -> RemoteError {
        match self.known_code() {
            Some(Code::Denied) => RemoteError::Denied { address: address.to_owned() },
            Some(Code::UnknownStore) => {
                RemoteError::UnknownStore { address: address.to_owned(), name: store.to_owned() }
            }
            _ => RemoteError::Refused { code: self.code, message: self.message.clone() },
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_u16(self.code);
        out.put_u8(u8::from(self.is_fatal) | u8::from(self.may_retry) << 1);
        out.put_text16(&self.message);
        match (self.known_code(), &self.detail) {
            (Some(Code::RequestIdReused), Detail::RequestId { id, first }) => {
                out.put_uuid(*id);
                out.put_u64(first.0);
            }
            (Some(Code::PartialMatch), Detail::Partial { stream, revision, position }) => {
                out.put_text16(stream.as_str());
                out.put_u64(revision.0);
                out.put_u64(position.0);
            }
            (Some(Code::StorageFull), Detail::Bytes(bytes)) => out.put_u64(*bytes),
            (Some(Code::LostTail), Detail::Lost { given_in, position }) => {
                out.put_u32(given_in.0);
                out.put_u64(position.0);
            }
            (Some(Code::SnapshotAhead), Detail::Ahead { position: Position(one), head: Position(other) })
            | (Some(Code::SnapshotTooLarge), Detail::Length { bytes: one, max: other }) => {
                out.put_u64(*one);
                out.put_u64(*other);
            }
            (Some(Code::ProjectionBehind), Detail::Behind { position, wanted, waited }) => {
                out.put_u64(position.0);
                out.put_u64(wanted.0);
                out.put_u64(u64::try_from(waited.as_millis()).unwrap_or(u64::MAX));
            }
            (Some(Code::ProjectionEnded), Detail::Reason(reason)) => out.put_text16(reason),
            // What a code does not add, whoever reads it does not expect.
            _ => {}
        }
    }

    pub(crate) fn read(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let code = fields.u16("code")?;
        let flags = fields.u8("flags")?;
        let message = fields.text16("message")?.to_owned();
        let detail = match Code::of(code) {
            // A detail may be left out.
            _ if fields.is_empty() => Detail::None,
            Some(Code::RequestIdReused) => {
                Detail::RequestId { id: fields.uuid("id")?, first: Position(fields.u64("first")?) }
            }
            Some(Code::PartialMatch) => Detail::Partial {
                stream: read_stream(fields)?,
                revision: Revision(fields.u64("revision")?),
                position: Position(fields.u64("position")?),
            },
            Some(Code::StorageFull) => Detail::Bytes(fields.u64("bytes")?),
            Some(Code::LostTail) => Detail::Lost {
                given_in: Incarnation(fields.u32("given_in")?),
                position: Position(fields.u64("position")?),
            },
            Some(Code::SnapshotAhead) => {
                Detail::Ahead { position: Position(fields.u64("position")?), head: Position(fields.u64("head")?) }
            }
            Some(Code::SnapshotTooLarge) => Detail::Length { bytes: fields.u64("bytes")?, max: fields.u64("max")? },
            Some(Code::ProjectionBehind) => Detail::Behind {
                position: Position(fields.u64("position")?),
                wanted: Position(fields.u64("wanted")?),
                waited: Duration::from_millis(fields.u64("waited_ms")?),
            },
            Some(Code::ProjectionEnded) => Detail::Reason(fields.text16("reason")?.to_owned()),
            Some(_) => Detail::None,
            // A later version's code may add what this one cannot read.
            None => {
                fields.rest();
                Detail::None
            }
        };
        Ok(Self { code, is_fatal: flags & 1 != 0, may_retry: flags & 2 != 0, message, detail })
    }
}

impl From<&AppendError> for Refusal {
    /// A conflict has an answer of its own and is no refusal.
    fn from(error: &AppendError) -> Self {
        match error {
            AppendError::Request(request) => Self::new(Code::Request, request),
            AppendError::RequestIdReused { id, first } => {
                Self::new(Code::RequestIdReused, error).with(Detail::RequestId { id: *id, first: *first })
            }
            AppendError::PartialMatch { stream, revision, position } => {
                let (stream, revision, position) = (stream.clone(), *revision, *position);
                Self::new(Code::PartialMatch, error).with(Detail::Partial { stream, revision, position })
            }
            AppendError::Poisoned { cause } => Self::new(Code::Poisoned, without_path(cause)),
            AppendError::StorageFull { bytes, cause } => {
                Self::new(Code::StorageFull, without_path(cause)).with(Detail::Bytes(*bytes))
            }
            AppendError::NoSegment { cause } => Self::new(Code::NoSegment, without_path(cause)),
            AppendError::Degraded { .. } => {
                Self::new(Code::Degraded, "durable events are damaged: the server's log names the file")
            }
            AppendError::Closed => Self::new(Code::Closed, error),
            _ => Self::new(Code::Internal, error),
        }
    }
}

impl From<&FieldError> for Refusal {
    /// What no store takes ends its request; what is not of the protocol ends the connection.
    fn from(error: &FieldError) -> Self {
        match error {
            FieldError::Unacceptable { .. } => Self::new(Code::Request, error),
            _ => Self::new(Code::Protocol, error).fatal(),
        }
    }
}

impl From<&ReadError> for Refusal {
    /// Damage has an answer of its own and is no refusal.
    fn from(error: &ReadError) -> Self {
        match error {
            ReadError::NoEventIds => Self::new(Code::NoEventIds, error),
            // Where a server keeps its files is nobody's business.
            ReadError::Io { .. } => Self::new(
                Code::Unreadable,
                "a file of the store cannot be read: see the server's log, look after the disk",
            ),
            ReadError::UnsyncedSubscription => Self::new(Code::UnsyncedSubscription, error),
            ReadError::LostTail { given_in, position } => {
                Self::new(Code::LostTail, error).with(Detail::Lost { given_in: *given_in, position: *position })
            }
            _ => Self::new(Code::Internal, error),
        }
    }
}

impl From<&SnapshotError> for Refusal {
    fn from(error: &SnapshotError) -> Self {
        match error {
            SnapshotError::AheadOfHead { position, head } => {
                Self::new(Code::SnapshotAhead, error).with(Detail::Ahead { position: *position, head: *head })
            }
            SnapshotError::TooLarge { bytes, max } => {
                Self::new(Code::SnapshotTooLarge, error).with(Detail::Length { bytes: *bytes, max: *max })
            }
            SnapshotError::Storage { cause } => Self::new(Code::SnapshotStorage, without_path(cause)),
            SnapshotError::ReadOnly | SnapshotError::Damaged(_) => {
                Self::new(Code::Degraded, "durable events are damaged: the server's log names the file")
            }
            SnapshotError::Closed => Self::new(Code::Closed, error),
            _ => Self::new(Code::Internal, error),
        }
    }
}

impl From<&WaitError> for Refusal {
    fn from(error: &WaitError) -> Self {
        match error {
            WaitError::TimedOut { position, wanted, waited, .. } => {
                let (position, wanted, waited) = (*position, *wanted, *waited);
                Self::new(Code::ProjectionBehind, error).with(Detail::Behind { position, wanted, waited })
            }
            WaitError::Ended { reason, .. } => {
                Self::new(Code::ProjectionEnded, error).with(Detail::Reason(reason.clone()))
            }
            WaitError::Unknown { .. } => Self::new(Code::UnknownProjection, error),
            WaitError::Store(error) => Self::from(error),
        }
    }
}

/// What the disk said, but not of which file: a client has no business with the server's directories.
fn without_path(cause: &io::Error) -> String {
    cause.raw_os_error().map_or_else(|| cause.kind().to_string(), |code| io::Error::from_raw_os_error(code).to_string())
}
