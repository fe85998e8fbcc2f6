//! How a connection ends.

use crate::observe;
use gesta_protocol::{Code, FieldError, FrameError, Refusal};
use std::io;

/// How a connection ends.
#[derive(Debug)]
pub(crate) enum Parting {
    /// The peer has gone, with or without a word.
    Gone,
    /// The server is stopping.
    Stopping,
    /// The peer is told why, and it is counted.
    Refused(Refusal, observe::Refusal),
    /// The peer is not told anything: what it sent is not of this protocol, or it would not listen.
    Dropped(observe::Refusal, String),
}

impl Parting {
    /// The peer did not do in time what it had to.
    pub(crate) fn timeout(what: &str, counted: observe::Refusal) -> Self {
        Self::Refused(Refusal::new(Code::Timeout, what).fatal(), counted)
    }

    /// Whether nothing was heard of the peer for so long that it is taken for gone.
    pub(crate) fn is_for_silence(&self) -> bool {
        matches!(self, Self::Refused(_, observe::Refusal::IdleTimeout))
    }

    /// The peer sent what the protocol does not allow.
    pub(crate) fn protocol(what: impl ToString) -> Self {
        Self::Refused(Refusal::new(Code::Protocol, what).fatal(), observe::Refusal::Protocol)
    }

    /// What it means that a body is not what its kind says: a refusal of its request, or the end of the connection.
    pub(crate) fn unless_of_request(error: &FieldError) -> Result<Refusal, Self> {
        let refusal = Refusal::from(error);
        if refusal.is_fatal { Err(Self::Refused(refusal, observe::Refusal::Protocol)) } else { Ok(refusal) }
    }

    /// The peer does not take what it is sent.
    pub(crate) fn slow_reader() -> Self {
        Self::Dropped(observe::Refusal::SlowReader, "it took nothing of what it was sent for too long".to_owned())
    }
}

impl From<io::Error> for Parting {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<FrameError> for Parting {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLarge { .. } => {
                Self::Refused(Refusal::new(Code::FrameTooLarge, error).fatal(), observe::Refusal::TooLarge)
            }
            // Whoever speaks another protocol would not understand a refusal in this one.
            _ => Self::Dropped(observe::Refusal::Protocol, error.to_string()),
        }
    }
}

impl From<FieldError> for Parting {
    fn from(error: FieldError) -> Self {
        Self::protocol(error)
    }
}
