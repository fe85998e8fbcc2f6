//! The read of a projection that is behind, a batch ahead of what is folded.

use super::kept::Keep;
use gesta_model::{EventCursor, Position, ReadError, StoredEvent, Timestamp};

/// A bounded read, and how far it has come.
pub(super) struct ReadAhead<C> {
    cursor: C,
    until: Position,
    /// Everything below it was handed out; `None` when that is all up to where it ends.
    end: Option<Position>,
}

impl<C: EventCursor> ReadAhead<C> {
    /// A read between two positions.
    pub(super) fn new(cursor: C, from: Position, until: Position) -> Self {
        Self { cursor, until, end: Some(from) }
    }

    /// Where it ends.
    pub(super) fn until(&self) -> Position {
        self.until
    }

    /// Below which position everything was handed out.
    pub(super) fn end(&self) -> Position {
        self.end.unwrap_or(self.until)
    }

    pub(super) fn has_more(&self) -> bool {
        self.end.is_some()
    }

    /// Hands out events until so much is kept that it is time to flush.
    pub(super) fn go_on(&mut self, kept: &mut dyn Keep) -> Result<(), ReadError> {
        while let Some(end) = self.end.filter(|_| !kept.is_full()) {
            match self.cursor.next_record() {
                Some(Ok(record)) => {
                    let event = StoredEvent::new(&record, Timestamp::default());
                    self.end = Some(event.position().plus(1));
                    kept.take(event.recorded(self.cursor.recorded_at().unwrap_or_default()));
                }
                Some(Err(ReadError::Damaged(damage))) => {
                    self.end = Some(end.max(damage.positions.end.min(self.until)));
                    kept.pass_damage(&damage);
                }
                Some(Err(error)) => return Err(error),
                None => self.end = None,
            }
        }
        Ok(())
    }
}
