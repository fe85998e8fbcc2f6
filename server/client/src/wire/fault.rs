//! Why a request has no answer.

use crate::Address;
use gesta_model::{AppendError, ReadError, RemoteError, SnapshotError};
use gesta_protocol::{Code, Plane, Refusal};

/// Why a request has no answer.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// No connection could be made: the request was not sent.
    Unreachable(String),
    /// The connection ended before the answer came.
    Broken(String),
    /// The server said no.
    Refused(Refusal),
    /// What came back is not an answer.
    Garbage(String),
}

impl Fault {
    /// What a refusal of a connection, or of whatever is asked over it, means.
    pub(crate) fn of(refusal: Refusal) -> Self {
        if is_of_connection(&refusal) { Self::Broken(refusal.message) } else { Self::Refused(refusal) }
    }

    /// Whether another try may help.
    pub(crate) fn may_retry(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Broken(_))
    }

    /// What it means to whoever appends.
    pub(super) fn to_append_error(&self, address: &Address, plane: Plane) -> AppendError {
        match self {
            Self::Refused(refusal) => refusal.to_append_error(&address.endpoint(plane), address.store()),
            fault => AppendError::Remote(fault.to_remote_error(address, plane)),
        }
    }

    /// What it means to whoever reads.
    pub(crate) fn to_read_error(&self, address: &Address, plane: Plane) -> ReadError {
        match self {
            Self::Refused(refusal) => refusal.to_read_error(&address.endpoint(plane), address.store()),
            fault => ReadError::Remote(fault.to_remote_error(address, plane)),
        }
    }

    /// What it means to whoever saves or drops snapshots.
    pub(crate) fn to_snapshot_error(&self, address: &Address) -> SnapshotError {
        match self {
            Self::Refused(refusal) => refusal.to_snapshot_error(&address.endpoint(Plane::Append), address.store()),
            fault => SnapshotError::Remote(fault.to_remote_error(address, Plane::Append)),
        }
    }

    /// What it means to whoever asks for anything else.
    pub(crate) fn to_remote_error(&self, address: &Address, plane: Plane) -> RemoteError {
        let endpoint = address.endpoint(plane);
        match self {
            Self::Unreachable(cause) => RemoteError::Unreachable { address: endpoint, cause: cause.clone() },
            Self::Broken(cause) => RemoteError::Unanswered { address: endpoint, cause: cause.clone() },
            Self::Refused(refusal) => refusal.to_remote_error(&endpoint, address.store()),
            Self::Garbage(what) => RemoteError::Protocol { address: endpoint, what: what.clone() },
        }
    }
}

/// Whether a refusal is about the connection and not about what was asked: another one, later, may be better.
pub(super) fn is_of_connection(refusal: &Refusal) -> bool {
    let is_passing = matches!(
        refusal.known_code(),
        Some(Code::Stopping | Code::TooManyConnections | Code::Timeout | Code::TooManyRequests)
    );
    is_passing && refusal.may_retry
}
