//! A request that the store has taken and not answered yet.

use crate::observe::{self, PlaneObservations, RequestInFlight, StoreObservations};
use crate::plane::IdInUse;
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
    pub(super) plane: Arc<PlaneObservations>,
    /// The request's id, the connection's share of requests, the plane's share of bytes, and the count of what is in flight.
    pub(super) holds: Holds,
}

/// What a request takes up as long as it is under way.
pub(super) struct Holds {
    pub(super) _id_in_use: IdInUse,
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
        note_failure(&self.plane, &self.store, &outcome);
        drop(self.holds);
        frame_of(outcome, self.id)
    }
}

/// Puts the outcome of an append into words.
pub(super) fn frame_of(outcome: Result<Receipt, AppendError>, id: u64) -> Vec<u8> {
    let answer = match outcome {
        Ok(receipt) => Answer::Receipt(receipt),
        Err(AppendError::Conflict(conflict)) => Answer::Conflict(conflict),
        Err(error) => Answer::Refused(Refusal::from(&error)),
    };
    answer.frame(id)
}

/// Tells the operator of what was refused, and when a store takes no more appends.
pub(super) fn note_failure(
    plane: &PlaneObservations,
    store: &StoreObservations,
    outcome: &Result<Receipt, AppendError>,
) {
    let Err(error) = outcome else { return };
    if let AppendError::Poisoned { cause } = error {
        store.poisoned(cause.to_string());
    }
    if let AppendError::StorageFull { bytes, .. } = error {
        store.storage_full(*bytes);
    }
    if let Some(refusal) = counted(error) {
        plane.refused(refusal);
    }
}

/// As what a failure is counted: what a check or the caller's own ids forbid is no refusal of ours.
fn counted(error: &AppendError) -> Option<observe::Refusal> {
    match error {
        AppendError::Request(_) => Some(observe::Refusal::TooLarge),
        AppendError::StorageFull { .. } => Some(observe::Refusal::StorageFull),
        AppendError::Poisoned { .. } | AppendError::NoSegment { .. } | AppendError::Degraded { .. } => {
            Some(observe::Refusal::StoreFailed)
        }
        AppendError::Closed => Some(observe::Refusal::Draining),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta::{Position, RequestError, Uuid};
    use std::io;

    #[test]
    fn what_a_store_refuses_is_counted_by_its_reason() {
        let cause = || Arc::new(io::Error::other("EIO"));
        let observations = observe::Observations::new();
        let (plane, store) = (observations.plane(observe::Plane::Append), observations.store("default"));
        for error in [
            AppendError::StorageFull { bytes: 1, cause: cause() },
            AppendError::NoSegment { cause: cause() },
            AppendError::Degraded { damage: String::new() },
            AppendError::RequestIdReused { id: Uuid::nil(), first: Position(0) },
            AppendError::Request(RequestError::DataTooLong { ordinal: 0, bytes: 2, max: 1 }),
            AppendError::Closed,
        ] {
            note_failure(plane, &store, &Err(error));
        }
        let counted: Vec<_> = plane.refusals().filter(|(_, count)| *count > 0).collect();
        use observe::Refusal::{Draining, StorageFull, StoreFailed, TooLarge};
        assert_eq!(counted, [(TooLarge, 1), (StoreFailed, 2), (StorageFull, 1), (Draining, 1)]);
        assert_eq!(store.failure(), None, "the store takes appends again once there is room");
        note_failure(plane, &store, &Err(AppendError::Poisoned { cause: cause() }));
        assert_eq!(store.failure().as_deref(), Some("EIO"));
    }
}
