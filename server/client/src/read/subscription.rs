//! An unbounded read.

use super::reading::{Reading, Step};
use crate::core::Core;
use gesta_model::{Notice, Pace, Position, Read, ReadError, Timestamp};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Events from a place on, without end, fetched as they are taken.
///
/// When the connection breaks, the server stops or finds this reader too slow, the subscription goes on from its position as soon
/// as there is a connection, without gap or duplicate.
pub struct Subscription {
    reading: Reading,
    pace: Pace,
    /// It was said that it has caught up, and not that it has fallen behind since.
    is_live: bool,
    sees_unsynced: bool,
    /// When something was said last.
    said_at: Instant,
}

impl Subscription {
    pub(crate) async fn open(core: Arc<Core>, mut read: Read, pace: Pace) -> Result<Self, ReadError> {
        let sees_unsynced = std::mem::take(&mut read.sees_unsynced);
        read.is_backward = false;
        let mut reading = Reading::new(core, read, Some(pace));
        if !sees_unsynced {
            reading.begin().await?;
        }
        Ok(Self { reading, pace, is_live: false, sees_unsynced, said_at: Instant::now() })
    }

    /// The next event, or what else there is to say, waiting for it as long as `patience`.
    ///
    /// After [`ReadError::Damaged`] the next call goes on beyond it; after an error of the way to the server it tries anew.
    pub async fn next(&mut self, patience: Duration) -> Result<Notice<'_>, ReadError> {
        let said = match self.ready() {
            Some(said) => Some(said),
            None => timeout(patience, self.said()).await.ok(),
        };
        self.hand_out(said)
    }

    /// What there is to say, waiting for it.
    pub(crate) async fn said(&mut self) -> Result<Step, ReadError> {
        loop {
            let step = self.reading.step().await?;
            if let Some(said) = self.judge(step) {
                return Ok(said);
            }
        }
    }

    /// What there is to say, if that takes no waiting.
    pub(crate) fn ready(&mut self) -> Option<Result<Step, ReadError>> {
        if self.sees_unsynced {
            return Some(Err(ReadError::UnsyncedSubscription));
        }
        loop {
            match self.reading.ready()? {
                Ok(step) => {
                    if let Some(said) = self.judge(step) {
                        return Some(Ok(said));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// What a step means to whoever has heard all the ones before, over whatever connections.
    fn judge(&mut self, step: Step) -> Option<Step> {
        let said = match step {
            // The server does not know that this subscription had caught up.
            Step::Begun => {
                let (head, _) = self.reading.begun();
                let is_behind = head.since(self.reading.position()) > self.pace.behind_after;
                (is_behind && std::mem::take(&mut self.is_live)).then_some(Step::FellBehind)
            }
            Step::CaughtUp => (!std::mem::replace(&mut self.is_live, true)).then_some(step),
            Step::FellBehind => std::mem::take(&mut self.is_live).then_some(step),
            // It comes more often than it was asked for.
            Step::Progress => (self.said_at.elapsed() >= self.pace.progress_every).then_some(step),
            Step::Event | Step::Ended => Some(step),
        };
        if said.is_some() {
            self.said_at = Instant::now();
        }
        said
    }

    /// A notice of what was said; nothing was said in time.
    pub(crate) fn hand_out(&self, said: Option<Result<Step, ReadError>>) -> Result<Notice<'_>, ReadError> {
        let position = self.position();
        Ok(match said.transpose()? {
            Some(Step::Event) => Notice::Event(self.reading.record()),
            Some(Step::CaughtUp) => Notice::CaughtUp(position),
            Some(Step::FellBehind) => Notice::FellBehind(position),
            Some(Step::Progress) => Notice::Progress(position),
            Some(Step::Ended) => Notice::Ended(position),
            Some(Step::Begun) | None => Notice::TimedOut(position),
        })
    }

    /// Everything below it was handed out, or is not of this subscription.
    #[must_use]
    pub fn position(&self) -> Position {
        self.reading.position()
    }

    /// When the store took the event that was handed out last.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.reading.recorded_at()
    }
}
