//! What is to be sent and answered.

use super::fault::Fault;
use super::feed::FeedWriter;
use crate::Address;
use gesta_model::{AppendError, EncodedRequest, Incarnation, Receipt, RemoteError};
use gesta_protocol::{FRAME_HEADER_BYTES, FrameHeader, Kind, Plane, Request};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A request, and where its answer goes.
pub(super) enum Work {
    Append(AppendWork),
    Call(CallWork),
    /// Nothing but a connection is asked for.
    Meet(oneshot::Sender<Result<(), RemoteError>>),
}

/// An append. It is sent again under its id until there is an answer.
pub(super) struct AppendWork {
    pub(super) request: Box<EncodedRequest>,
    /// The life of the log that the request's `since` is of; the first when the caller said it.
    pub(super) incarnation: Incarnation,
    pub(super) reply: oneshot::Sender<Result<Receipt, AppendError>>,
    /// The room that it takes until it is answered.
    pub(super) _room: OwnedSemaphorePermit,
}

/// Anything else. Whoever asked asks again.
pub(super) struct CallWork {
    pub(super) question: Question,
    pub(super) feed: FeedWriter,
}

/// A request but for an append, encoded but for its id.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    frame: Vec<u8>,
    kind: Kind,
    /// How many bytes of events the server may send before there is more credit; none: it is no read.
    pub(super) credit: Option<u32>,
    /// Since when it is tried.
    pub(crate) tried_since: Option<Instant>,
}

impl Question {
    pub(crate) fn new(request: &Request<'_>) -> Self {
        let mut frame = Vec::new();
        request.encode(0, &mut frame);
        let credit = match request {
            Request::Read(read) => Some(read.credit),
            _ => None,
        };
        Self { frame, kind: request.kind(), credit, tried_since: None }
    }

    /// Adds the question's frame to `out`.
    pub(super) fn put(&self, id: u64, out: &mut Vec<u8>) {
        let body = &self.frame[FRAME_HEADER_BYTES..];
        let body_bytes = u32::try_from(body.len()).expect("it was encoded as a frame");
        out.extend_from_slice(&FrameHeader { body_bytes, kind: self.kind as u8, id }.encode());
        out.extend_from_slice(body);
    }

    /// Whether a frame of the answer is its last one.
    pub(super) fn ends_with(&self, kind: Kind, body: &[u8]) -> bool {
        match kind {
            Kind::Refused | Kind::Ended | Kind::TooSlow | Kind::Done | Kind::Standing | Kind::Statistics => true,
            Kind::LogFindings | Kind::IndexFindings | Kind::Stores | Kind::Receipt | Kind::Dropped | Kind::Told => true,
            // A read goes on beyond damage, a lookup does not.
            Kind::Damaged => self.credit.is_none(),
            Kind::Names | Kind::Snapshots | Kind::Projections => body.first() == Some(&0),
            _ => false,
        }
    }
}

/// A request with its place in the order of all of them.
pub(super) struct Job {
    pub(super) order: u64,
    /// Since when it could have been answered and was not; none: nothing has gone wrong yet.
    pub(super) troubled_since: Option<Instant>,
    /// It was sent at least once, so that its outcome may be unknown.
    pub(super) was_sent: bool,
    pub(super) work: Work,
}

impl Job {
    pub(super) fn new(order: u64, work: Work) -> Self {
        let troubled_since = match &work {
            Work::Call(call) => call.question.tried_since,
            _ => None,
        };
        Self { order, troubled_since, was_sent: false, work }
    }

    /// Takes note that something has gone wrong, and tells whether it has for too long.
    pub(super) fn is_given_up(&mut self, retry_for: Duration) -> bool {
        self.troubled_since.get_or_insert_with(Instant::now).elapsed() >= retry_for
    }

    /// Ends it with an error.
    pub(super) fn fail(self, fault: Fault, address: &Address, plane: Plane) {
        match self.work {
            // Whoever has stopped waiting need not be told.
            Work::Append(append) => drop(append.reply.send(Err(fault.to_append_error(address, plane)))),
            Work::Meet(reply) => drop(reply.send(Err(fault.to_remote_error(address, plane)))),
            Work::Call(call) => call.feed.fail(fault),
        }
    }

    /// Whether nobody waits for it, and it does not matter whether it is done.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(&self.work, Work::Call(call) if call.feed.is_abandoned())
    }
}
