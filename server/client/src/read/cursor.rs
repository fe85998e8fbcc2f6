//! A bounded read.

use super::reading::{Reading, Step};
use crate::core::Core;
use gesta_model::{Explanation, Loaded, Position, Read, ReadError, Record, Selection, SnapshotKey, Timestamp};
use std::sync::Arc;

/// Events in order, up to the head as of the read, fetched as they are taken.
///
/// Records borrow from the frame that they came in. When the connection breaks the cursor goes on over the next one, up to the
/// same head. Dropping it ends the read on the server as well.
pub struct Cursor {
    reading: Reading,
    head: Position,
}

impl Cursor {
    pub(crate) async fn open(core: Arc<Core>, read: Read) -> Result<Self, ReadError> {
        let mut reading = Reading::new(core, read, None);
        reading.begin().await?;
        let (head, _) = reading.begun();
        Ok(Self { reading, head })
    }

    /// The newest snapshot of a key and schema, and a cursor over the events of a selection after it.
    pub(crate) async fn load(
        core: Arc<Core>,
        (key, schema): (&SnapshotKey, u32),
        selection: Selection,
    ) -> Result<Loaded<Self>, ReadError> {
        let mut read = Read::all();
        read.selection = selection;
        let mut reading = Reading::new(core, read, None).after_snapshot(key.clone(), schema);
        reading.begin().await?;
        let snapshot = reading.take_snapshot();
        let (head, _) = reading.begun();
        Ok(Loaded { snapshot, events: Self { reading, head } })
    }

    /// The next record; `None` when all have been read. After [`ReadError::Damaged`] the next call goes on beyond it.
    pub async fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        let step = self.step().await;
        self.hand_out(step)
    }

    /// The next event or the end, waiting for it.
    pub(crate) async fn step(&mut self) -> Result<Step, ReadError> {
        loop {
            let step = self.reading.step().await?;
            if matches!(step, Step::Event | Step::Ended) {
                return Ok(step);
            }
        }
    }

    /// The next event or the end, if that takes no waiting.
    pub(crate) fn ready(&mut self) -> Option<Result<Step, ReadError>> {
        loop {
            match self.reading.ready()? {
                Ok(Step::Begun | Step::CaughtUp | Step::FellBehind | Step::Progress) => {}
                step => return Some(step),
            }
        }
    }

    /// What a step has led to.
    pub(crate) fn hand_out(&self, step: Result<Step, ReadError>) -> Option<Result<Record<'_>, ReadError>> {
        match step {
            Ok(Step::Event) => Some(Ok(self.reading.record())),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// The first position that was not readable when the read began.
    #[must_use]
    pub fn head(&self) -> Position {
        self.head
    }

    /// When the store took the event that was read last.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.reading.recorded_at()
    }

    /// What finding the events has cost the server; known when all have been read.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        self.reading.explain()
    }
}
