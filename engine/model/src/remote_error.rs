//! What can stand between a client and the store of a server.

use crate::Position;
use thiserror::Error;

/// Why a server did not do what it was asked, or whether it did is not known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// No connection could be made.
    #[error("cannot reach {address}: {cause}: see whether the server runs and the address is right")]
    Unreachable {
        /// Where the server was looked for.
        address: String,
        /// What failed.
        cause: String,
    },
    /// The connection ended before the answer came, and no try since has told. An append may or may not be in the log: made
    /// again under its request id, it is there once.
    #[error("the connection to {address} ended before the answer came ({cause}): ask again")]
    Unanswered {
        /// The server.
        address: String,
        /// What failed.
        cause: String,
    },
    /// The credentials do not allow it. Says no more, on purpose.
    #[error("{address}: denied: present a token that is valid for this store and allows this operation")]
    Denied {
        /// The server.
        address: String,
    },
    /// The server has no store of this name.
    #[error("{address}: there is no store {name:?}: an operator creates it, or check the name")]
    UnknownStore {
        /// The server.
        address: String,
        /// The name asked for.
        name: String,
    },
    /// The server refused the request, and says why.
    #[error("{message}")]
    Refused {
        /// The protocol's number for it.
        code: u16,
        /// What the server said.
        message: String,
    },
    /// A reader fell too far behind and was told to come again.
    #[error("the reader was too slow, and the server let it go: read on from position {resume}")]
    TooSlow {
        /// Everything below it was handed out.
        resume: Position,
    },
    /// What came back is not an answer of a gesta server.
    #[error("{address}: not an answer of a gesta server ({what}): check the address and the versions of both ends")]
    Protocol {
        /// The server.
        address: String,
        /// What is wrong with it.
        what: String,
    },
}
