//! What a request must be answered, and whether it was.

use gesta::{AppendError, Conflict, Position, Receipt, Revision, StoredEvent, StreamName};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::ops::Range;

/// What was checked holds, or how it does not.
pub(super) type Checked = Result<(), TestCaseError>;

/// What the reference answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Receipt { positions: Range<Position>, revisions: Vec<(StreamName, Revision)>, is_new: bool },
    Conflict(Conflict),
    Reused { first: Position },
    Partial { stream: StreamName, revision: Revision, position: Position },
}

impl Answer {
    /// Whether the request is in the log from now on.
    pub(super) fn is_new(&self) -> bool {
        matches!(self, Self::Receipt { is_new: true, .. })
    }

    /// Whether an outcome is this answer, apart from what a receipt says of its durability.
    pub(super) fn check(&self, outcome: &Result<Receipt, AppendError>) -> Checked {
        match (self, outcome) {
            (Self::Receipt { positions, revisions, .. }, Ok(receipt)) => {
                prop_assert_eq!(&receipt.positions, positions);
                prop_assert_eq!(&receipt.revisions, revisions);
            }
            (Self::Conflict(expected), Err(AppendError::Conflict(conflict))) => {
                prop_assert_eq!(&conflict.failed, &expected.failed);
                prop_assert_eq!(conflict.head, expected.head);
                prop_assert_eq!(positions(&conflict.missed), positions(&expected.missed), "missed events");
                let is_same =
                    |(one, other): (&StoredEvent, &StoredEvent)| one.record().bytes() == other.record().bytes();
                prop_assert!(conflict.missed.iter().zip(&expected.missed).all(is_same), "{:?}", conflict.missed);
            }
            (Self::Reused { first }, Err(AppendError::RequestIdReused { first: told, .. })) => {
                prop_assert_eq!(told, first);
            }
            (expected @ Self::Partial { .. }, Err(AppendError::PartialMatch { stream, revision, position })) => {
                let told = Self::Partial { stream: stream.clone(), revision: *revision, position: *position };
                prop_assert_eq!(&told, expected);
            }
            _ => return Err(TestCaseError::fail(format!("{outcome:?} instead of {self:?}"))),
        }
        Ok(())
    }
}

fn positions(events: &[StoredEvent]) -> Vec<Position> {
    events.iter().map(StoredEvent::position).collect()
}

pub(super) fn fail(error: impl std::fmt::Display) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}
