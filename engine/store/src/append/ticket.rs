//! A promise of a receipt.

use super::appender::Appender;
use super::slot::{Outcome, Slot};
use crate::disk::{Disk, RealDisk};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The outcome of a submitted append, now or later: wait for it, look for it, or await it.
///
/// Dropping a ticket does not undo the append.
pub struct Ticket<D: Disk = RealDisk> {
    slot: Arc<Slot>,
    appender: Arc<Appender<D>>,
}

impl<D: Disk> Ticket<D> {
    pub(super) fn new(slot: Arc<Slot>, appender: Arc<Appender<D>>) -> Self {
        Self { slot, appender }
    }

    /// Waits for the outcome.
    pub fn wait(self) -> Outcome {
        match self.slot.take() {
            Some(outcome) => outcome,
            None => self.appender.wait_for(&self.slot),
        }
    }

    /// Takes the outcome if it is there; at most once.
    pub fn try_take(&mut self) -> Option<Outcome> {
        self.slot.take()
    }
}

impl<D: Disk> Future for Ticket<D> {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        self.slot.poll(context)
    }
}
