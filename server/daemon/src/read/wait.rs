//! Waiting until a projection has folded everything below a position: without a thread, and beside everything else.

use super::credit::Credit;
use super::lookups;
use super::outbox::{Gone, Outbox};
use crate::access::{Grant, Operation};
use crate::host::Host;
use crate::plane::{denied, internal};
use crate::stores::OpenStore;
use gesta::{Position, ProjectionBoard, WaitError};
use gesta_protocol::{Answer, Refusal};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// How many of the waits of a connection look at the store at a time.
pub(super) const LOOK_TURNS: usize = 2;
/// How often it is looked at what another process has told of the store.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A client that waits for a projection.
pub(super) struct Wait {
    pub(super) id: u64,
    pub(super) host: Arc<Host>,
    pub(super) store: Arc<OpenStore>,
    pub(super) grant: Grant,
    pub(super) name: String,
    pub(super) position: Position,
    pub(super) timeout: Duration,
    /// Whether the client still waits.
    pub(super) credit: Arc<Credit>,
    pub(super) turns: Arc<Semaphore>,
    pub(super) outbox: Outbox,
}

impl Wait {
    /// Answers once the projection is there, cannot come there, or the time is over.
    pub(super) async fn run(mut self) -> Result<(), Gone> {
        let began = Instant::now();
        let mut end = Box::pin(sleep(self.timeout));
        let mut is_over = false;
        let (mut told, mut reloaded) = (self.store.told.subscribe(), self.host.reloaded.subscribe());
        loop {
            reloaded.mark_unchanged();
            if !self.may_still() {
                return self.outbox.answer(self.id, &Answer::Refused(denied())).await;
            }
            // Whatever is told from here on is seen below or wakes the wait.
            told.mark_unchanged();
            let Some(outcome) = self.look().await else {
                return self.outbox.answer(self.id, &Answer::Refused(internal())).await;
            };
            let is_too_early = matches!(outcome, Err(WaitError::TimedOut { .. } | WaitError::Unknown { .. }));
            if is_over || !is_too_early {
                return self.outbox.answer(self.id, &answer_of(outcome, began.elapsed())).await;
            }
            tokio::select! {
                _ = told.changed() => {}
                () = sleep(LOOK_EVERY) => {}
                // Whether it may go on is asked anew.
                _ = reloaded.changed() => {}
                () = &mut end => is_over = true,
                () = self.credit.cancelled() => is_over = true,
                () = self.outbox.closed() => return Err(Gone),
            }
        }
    }

    /// Where the projection stands now; `None` when looking failed. What other processes told is in files: they are read on a
    /// thread that nobody else waits for.
    async fn look(&self) -> Option<Result<(), WaitError>> {
        let _turn = self.turns.acquire().await.ok()?;
        let (store, name, position) = (Arc::clone(&self.store), self.name.clone(), self.position);
        let look = move || ProjectionBoard::wait_for_projection(&store.reader, &name, position, Duration::ZERO);
        tokio::task::spawn_blocking(look).await.ok()
    }

    /// Whether the client's token still stands.
    fn may_still(&mut self) -> bool {
        let name = self.store.name.as_str();
        self.host.access.allow(&mut self.grant, Operation::WaitForProjection, name, Timestamp::now()).is_ok()
    }
}

fn answer_of(outcome: Result<(), WaitError>, waited: Duration) -> Answer<'static> {
    match outcome {
        Ok(()) => Answer::Done,
        Err(WaitError::TimedOut { projection, position, wanted, .. }) => {
            Answer::Refused(Refusal::from(&WaitError::TimedOut { projection, position, wanted, waited }))
        }
        Err(WaitError::Store(error)) => lookups::failed(error),
        Err(error) => Answer::Refused(Refusal::from(&error)),
    }
}
