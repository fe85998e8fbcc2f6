//! Projections that are being folded, by a thread of their own.

use super::progress::Progress;
use super::{ReplayError, RunError};
use gesta_model::{Position, ProjectionState, ProjectionStatus, WaitError};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Projections that are being folded. Dropping it stops them.
#[derive(Debug)]
pub struct Running {
    pub(super) progress: Arc<Progress>,
    pub(super) orders: Option<Sender<Order>>,
    pub(super) thread: Option<JoinHandle<()>>,
}

/// What a runner can be told.
#[derive(Debug)]
pub(super) enum Order {
    /// Try the parked events of this projection again, and tell what came of it.
    ReplayParked(String, Sender<Result<Replayed, ProjectionState>>),
}

/// What has become of parked events that were tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many are folded now.
    pub folded_count: u64,
    /// How many still cannot be folded.
    pub parked_count: u64,
}

impl Running {
    /// Waits until a projection has folded everything below a position, in the version that serves: after that its read model
    /// shows it.
    ///
    /// ```no_run
    /// # use gesta_cqrs::{Handled, Running, WaitError};
    /// # fn example(running: &Running, handled: &Handled<()>) -> Result<(), WaitError> {
    /// if let Some(position) = handled.position() {
    ///     running.wait("accounts", position, std::time::Duration::from_secs(5))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait(&self, projection: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        self.progress.wait(projection, position, timeout)
    }

    /// How the projections are doing, in the order in which they were given.
    #[must_use]
    pub fn statuses(&self) -> Vec<ProjectionStatus> {
        self.progress.statuses()
    }

    /// Tries the parked events of a projection again, in their order and after everything that was folded since. What still
    /// cannot be folded stays parked.
    pub fn replay_parked(&self, projection: &str) -> Result<Replayed, ReplayError> {
        let projection = projection.to_owned();
        if !self.statuses().iter().any(|status| status.projection.name == projection) {
            return Err(ReplayError::Unknown { projection });
        }
        let (reply, replayed) = channel();
        let order = Order::ReplayParked(projection.clone(), reply);
        let is_sent = self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok());
        // A runner that has ended drops the orders that it has taken.
        match if is_sent { replayed.recv().ok() } else { None } {
            Some(outcome) => outcome.map_err(|state| ReplayError::NotFolding { projection, state }),
            None => Err(ReplayError::Ended { projection }),
        }
    }

    /// Stops after what is being folded, which is committed.
    pub fn stop(mut self) -> Result<(), RunError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), RunError> {
        drop(self.orders.take());
        self.thread.take().map_or(Ok(()), |thread| thread.join().map_err(|_| RunError::Panicked))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whoever wants to know stops it.
        let _ = self.end();
    }
}
