//! A request that the store has taken and not answered yet.

use crate::observe::{RequestInFlight, StoreObservations};
use gesta::{AppendError, Durability, Receipt, Ticket};
use gesta_protocol::{Answer, Refusal};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// What is needed to answer a request once its outcome is there.
pub(super) struct UnderWay {
    pub(super) id: u64,
    pub(super) ticket: Ticket,
    pub(super) durability: Durability,
    pub(super) began: Instant,
    pub(super) store: Arc<StoreObservations>,
    /// The connection's share of requests, the plane's share of bytes, and the count of what is in flight.
    pub(super) holds: Holds,
}

/// What a request takes up as long as it is under way.
pub(super) struct Holds {
    pub(super) _turn: OwnedSemaphorePermit,
    pub(super) _missed_turn: Option<OwnedSemaphorePermit>,
    pub(super) _room: OwnedSemaphorePermit,
    pub(super) _counted: RequestInFlight,
}

impl UnderWay {
    /// Waits for the outcome and puts it into words.
    pub(super) async fn answer(self) -> Vec<u8> {
        let outcome = self.ticket.await;
        self.store.command(self.durability, self.began.elapsed());
        note_failure(&self.store, &outcome);
        drop(self.holds);
        let mut out = Vec::new();
        encode_outcome(self.id, outcome, &mut out);
        out
    }
}

/// Puts the outcome of an append into words.
pub(super) fn encode_outcome(id: u64, outcome: Result<Receipt, AppendError>, out: &mut Vec<u8>) {
    match outcome {
        Ok(receipt) => Answer::Receipt(receipt).encode(id, out),
        Err(AppendError::Conflict(conflict)) => Answer::Conflict(conflict).encode(id, out),
        Err(error) => Answer::Refused(Refusal::from(&error)).encode(id, out),
    }
}

/// Tells the operator when a store takes no more appends.
pub(super) fn note_failure(store: &StoreObservations, outcome: &Result<Receipt, AppendError>) {
    if let Err(AppendError::Poisoned { cause }) = outcome {
        store.poisoned(cause.to_string());
    }
}
