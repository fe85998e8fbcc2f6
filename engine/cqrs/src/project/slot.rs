//! A projection of a runner, and what it is doing.
//!
//! What must stay true: what a projection keeps between two turns is what its read has handed out last. When it falls back,
//! or could not fold all that came before, both are dropped, and it reads anew from where it stands.

use super::follower::{Follow, Setback};
use super::read_ahead::ReadAhead;
use gesta_model::{EventCursor, EventReader, Position, ProjectionState, Read, ReadError, StoredEvent, Timestamp};
use std::time::{Duration, Instant};

/// How soon a projection is tried again that another runner has.
const CLAIM_EVERY: Duration = Duration::from_millis(200);
/// How soon a failed read model, or the store, is tried again: twice as long each time, up to the last.
const BACKOFF_MS: [u64; 8] = [10, 20, 50, 100, 200, 500, 1000, 2000];

/// A projection, and what it is doing.
pub(super) struct Slot<C> {
    pub(super) follower: Box<dyn Follow>,
    pub(super) phase: Phase<C>,
    pub(super) position: Position,
    /// When and where it began to catch up.
    pub(super) set_out: Option<(Instant, Position)>,
    pub(super) state: ProjectionState,
    failures: usize,
}

/// What a projection is doing.
pub(super) enum Phase<C> {
    /// It is opened then.
    Waiting(Instant),
    /// It reads by itself, and keeps what the read that goes on has handed out last.
    Behind(Option<ReadAhead<C>>),
    /// It is fed from the subscription.
    Live,
    /// It has ended.
    Failed,
}

impl<C: EventCursor + Send> Slot<C> {
    /// Begins to read what it lacks, up to a position.
    pub(super) fn read_from(&mut self, cursor: C, until: Position) -> Result<ReadAhead<C>, ReadError> {
        let mut reading = ReadAhead::new(cursor, self.position, until);
        reading.go_on(self.follower.kept())?;
        Ok(reading)
    }

    /// Folds what a read has handed out, while the read goes on; `joint` is where the live projections stand.
    pub(super) fn catch_up(&mut self, mut reading: ReadAhead<C>, joint: Position) -> Result<(), ReadError> {
        let (to, until) = (reading.end(), reading.until());
        if !reading.has_more() {
            match self.flush(to) {
                Ok(true) if until == joint && self.follower.serves() => self.go_live(),
                Ok(true) => (self.phase, self.state) = (Phase::Behind(None), self.catching_up()),
                Ok(false) => {}
                Err(setback) => self.fall_back(setback),
            }
            return Ok(());
        }
        let mut read = Ok(());
        match self.follower.flush_beside(to, &mut |next| read = reading.go_on(next)) {
            Ok(reached) if self.reach(reached, to) => {
                (self.phase, self.state) = (Phase::Behind(Some(reading)), self.catching_up());
            }
            Ok(_) => {}
            Err(setback) => self.fall_back(setback),
        }
        read
    }
}

impl<C> Slot<C> {
    pub(super) fn new(follower: Box<dyn Follow>) -> Self {
        Self {
            follower,
            phase: Phase::Waiting(Instant::now()),
            position: Position::START,
            set_out: None,
            state: ProjectionState::CatchingUp,
            failures: 0,
        }
    }

    /// Tries the parked events again, those that the store can read; returns how many are folded now.
    pub(super) fn replay_parked<S: EventReader + ?Sized>(&mut self, store: &S) -> Result<u64, Setback> {
        let mut folded_count = 0;
        for position in self.follower.parked()? {
            let Ok(mut cursor) = store.read(Read::all().from(position).until(position.plus(1))) else { continue };
            let Some(Ok(record)) = cursor.next_record() else { continue };
            let event = StoredEvent::new(&record, Timestamp::default());
            let event = event.recorded(cursor.recorded_at().unwrap_or_default());
            folded_count += u64::from(self.follower.fold_parked(event)?);
        }
        Ok(folded_count)
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Live | Phase::Behind(_))
    }

    /// Folds what is kept, up to `to`; whether it came so far. If not, it reads the rest anew.
    pub(super) fn flush(&mut self, to: Position) -> Result<bool, Setback> {
        let reached = self.follower.flush(to)?;
        Ok(self.reach(reached, to))
    }

    /// It has come to a position, and was to come to another; whether it is there.
    fn reach(&mut self, reached: Position, to: Position) -> bool {
        (self.position, self.failures) = (reached, 0);
        if self.position < to {
            (self.phase, self.state) = (Phase::Behind(None), self.catching_up());
            self.set_out.get_or_insert((Instant::now(), self.position));
        }
        self.position >= to
    }

    pub(super) fn catching_up(&self) -> ProjectionState {
        if self.follower.serves() { ProjectionState::CatchingUp } else { ProjectionState::Building }
    }

    pub(super) fn go_live(&mut self) {
        (self.phase, self.state, self.set_out) = (Phase::Live, ProjectionState::Live, None);
    }

    /// How long it will still be behind, at the pace that it has had.
    pub(super) fn eta(&self, head: Position) -> Option<Duration> {
        let (at, from) = self.set_out.filter(|_| matches!(self.phase, Phase::Behind(_)))?;
        let (done, left) = (self.position.0.checked_sub(from.0)?, head.0.saturating_sub(self.position.0));
        let seconds = at.elapsed().as_secs_f64() * left as f64 / done as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }

    pub(super) fn stand_by(&mut self) {
        self.phase = Phase::Waiting(Instant::now() + CLAIM_EVERY);
        self.state = ProjectionState::Standby;
    }

    /// Something failed: what is to be done about it.
    pub(super) fn fall_back(&mut self, setback: Setback) {
        self.follower.forget();
        match setback {
            Setback::Moved => self.stand_by(),
            Setback::Superseded(by) => {
                self.phase = Phase::Failed;
                self.state = ProjectionState::Superseded { by };
            }
            Setback::Model(error) => {
                let wait = backoff(self.failures);
                self.failures += 1;
                self.phase = Phase::Waiting(Instant::now() + wait);
                let failures = u32::try_from(self.failures).unwrap_or(u32::MAX);
                self.state = ProjectionState::Retrying { error, failures };
            }
            Setback::Fatal(error) => {
                self.phase = Phase::Failed;
                self.state = ProjectionState::Failed { error: error.to_string() };
            }
        }
    }
}

/// How long is waited after so many failures in a row.
pub(super) fn backoff(failures: usize) -> Duration {
    Duration::from_millis(BACKOFF_MS[failures.min(BACKOFF_MS.len() - 1)])
}

#[cfg(test)]
#[path = "slot_test.rs"]
mod tests;
