//! One call of a store: when, what was asked, what was told.

use gesta_model::{AppendError, Check, Durability, Position, Receipt, RemoteError, Selection, Uuid};
use std::ops::Range;

/// What a caller did and was told. Moments are ticks of one clock, such as nanoseconds of the machine's or a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// An append.
    Append(AppendCall),
    /// A read, or what a subscription gave.
    Read(ReadCall),
}

/// One try of an append.
///
/// Tries with the same event ids are of one request, made again under its request id. A call with the same ids and the same
/// [`called`](Self::called) as an earlier one replaces it: a caller that may be killed notes its call as
/// [`Answer::Unknown`] before it makes it, and again when it has its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendCall {
    /// A moment before the call.
    pub called: u64,
    /// A moment after its return; `u64::MAX` when it did not.
    pub returned: u64,
    /// The ids of its events, in order, each of them given to one event only; empty for a pure check.
    pub ids: Vec<Uuid>,
    /// Its checks.
    pub checks: Vec<Check>,
    /// What was told.
    pub answer: Answer,
}

/// What an append was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was made.
    Acknowledged {
        /// Where its events stand; of a pure check, the empty range where it was judged.
        positions: Range<Position>,
        /// The durability reached.
        durability: Durability,
    },
    /// A check failed.
    Conflict {
        /// The head that the checks were judged against.
        head: Position,
        /// How safe everything below the head is: what was asked for, and `Written` at least.
        durability: Durability,
    },
    /// It was not made, for another reason than its checks.
    Refused,
    /// It may have been made.
    Unknown,
}

/// One read, from a position to its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadCall {
    /// A moment before the call.
    pub called: u64,
    /// A moment after the head was known.
    pub returned: u64,
    /// Which events were asked for.
    pub selection: Selection,
    /// The first position that was asked for.
    pub from: Position,
    /// The head of the cursor, or the position that a subscription came to.
    pub head: Position,
    /// Whether it was to show what is not synced.
    pub sees_unsynced: bool,
    /// The ids of the events that it showed, in their order.
    pub shown: Vec<Uuid>,
}

impl Answer {
    /// What the outcome of an append comes to, `asked` being the durability that it asked for.
    #[must_use]
    pub fn of(outcome: &Result<Receipt, AppendError>, asked: Durability) -> Self {
        use RemoteError::{Denied, Refused, UnknownStore};
        match outcome {
            Ok(receipt) => Self::Acknowledged { positions: receipt.positions.clone(), durability: receipt.durability },
            Err(AppendError::Conflict(conflict)) => {
                Self::Conflict { head: conflict.head, durability: asked.max(Durability::Written) }
            }
            Err(AppendError::Remote(Denied { .. } | Refused { .. } | UnknownStore { .. })) => Self::Refused,
            Err(AppendError::Poisoned { .. } | AppendError::Remote(_)) => Self::Unknown,
            Err(_) => Self::Refused,
        }
    }
}

impl AppendCall {
    /// The positions of its receipt, if it is one that must hold: what is as safe as `kept`.
    pub(super) fn acknowledged(&self, kept: Durability) -> Option<&Range<Position>> {
        match &self.answer {
            Answer::Acknowledged { positions, durability } if *durability >= kept => Some(positions),
            _ => None,
        }
    }

    /// The head of its conflict, if it is one that must hold.
    pub(super) fn conflict(&self, kept: Durability) -> Option<Position> {
        match self.answer {
            Answer::Conflict { head, durability } if durability >= kept => Some(head),
            _ => None,
        }
    }

    /// Whether it was told that nothing of it is in the log.
    pub(super) fn was_not_made(&self) -> bool {
        matches!(self.answer, Answer::Conflict { .. } | Answer::Refused)
    }
}

impl ReadCall {
    /// How safe the events are that it shows.
    pub(super) fn durability(&self) -> Durability {
        if self.sees_unsynced { Durability::Written } else { Durability::Durable }
    }
}
