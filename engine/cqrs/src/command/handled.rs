//! What a command has come to.

use super::SnapshotFailure;
use gesta_model::{Position, Receipt, WaitError};

/// What a command that was followed has come to.
#[derive(Debug)]
pub struct Handled<E> {
    /// What the store says of the events; `None` when there were none to append.
    pub receipt: Option<Receipt>,
    /// The events that were appended. None when the command had been followed before, under the same id; of a try that is
    /// still under way when this one comes, that cannot be told.
    pub events: Vec<E>,
    /// How often it was decided on: once, and once more for each conflict.
    pub attempts: u32,
    /// Whether a snapshot was saved on the way.
    pub snapshot: SnapshotOutcome,
    /// Whether the projections that are waited for have folded what the command has led to, see
    /// [`CommandHandler::wait_for`](crate::CommandHandler::wait_for). The command is done whatever comes of that.
    pub waited: Result<(), WaitError>,
}

impl<E> Handled<E> {
    /// Everything that the command has led to stands below this position: what a read model has to have reached to show it.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.receipt.as_ref().map(|receipt| receipt.positions.end)
    }
}

/// What became of a snapshot.
#[derive(Debug)]
pub enum SnapshotOutcome {
    /// None was due.
    NotDue,
    /// It was saved.
    Saved,
    /// It was due and could not be saved. That costs time at the next command, and nothing else.
    Failed(SnapshotFailure),
}
