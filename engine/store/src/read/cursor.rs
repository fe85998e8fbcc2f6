//! A bounded read: one record after another, each borrowed from where it lies.

use super::pick::{ALL_REVISIONS, Pick};
use super::reader::Library;
use super::sweep::Sweep;
use crate::disk::{Disk, RealDisk};
use gesta_model::codec::Record;
use gesta_model::{Damage, Explanation, Position, Read, ReadError, Revision, Selection, Timestamp};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// Events in order, up to the head as of the read.
///
/// Not an `Iterator`: each record borrows from the cursor, which is what makes reading free of copies.
pub struct Cursor<D: Disk = RealDisk> {
    course: Course<D>,
    remaining: u64,
    /// The first position that was not readable when the read began.
    head: Position,
    /// Damage that is told once all else has been read.
    missing_end: Option<Damage>,
}

/// How the events are come by.
enum Course<D: Disk> {
    /// All of them, batch by batch.
    Sweep(Box<Sweep<D>>),
    /// Those that the index finds.
    Pick(Box<Pick<D>>),
}

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Before a record that is wanted.
    Stands,
    /// Past positions that are not wanted.
    Passed,
    /// To the end.
    Over,
}

impl<D: Disk> Cursor<D> {
    pub(super) fn new(library: Arc<Library<D>>, read: Read) -> Self {
        let watermarks = &library.log.watermarks;
        let head = if read.sees_unsynced { watermarks.written() } else { watermarks.readable() };
        let positions = positions(&library, &read, head);
        let missing_end = library.missing_end();
        let course = match read.selection {
            Selection::Everything => Course::Sweep(Box::new(Sweep::new(library, positions, read.is_backward))),
            selection => {
                let revisions = revisions(&selection, read.from_revision, read.is_backward);
                Course::Pick(Box::new(Pick::new(library, selection, revisions, positions, read.is_backward)))
            }
        };
        Self { course, remaining: read.limit, head, missing_end }
    }

    /// The next record; `None` when all have been read.
    ///
    /// After [`ReadError::Damaged`] the next call goes on beyond the damage.
    #[inline]
    pub fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        match self.advance() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        Some(self.take())
    }

    /// When the store took the event that was read last.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        match &self.course {
            Course::Sweep(sweep) => sweep.recorded_at(),
            Course::Pick(pick) => pick.recorded_at(),
        }
    }

    /// The positions still to be read, half-open.
    #[must_use]
    pub fn remaining_positions(&self) -> Range<Position> {
        match &self.course {
            Course::Sweep(sweep) => sweep.remaining_positions(),
            Course::Pick(pick) => pick.remaining_positions(),
        }
    }

    /// The head as of the read: the first position that was not readable when it began. What a later
    /// [`unless`](gesta_model::AppendRequest::unless) passes as `after`.
    #[must_use]
    pub fn head(&self) -> Position {
        self.head
    }

    /// What reading has cost so far.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        match &self.course {
            Course::Sweep(_) => Explanation::default(),
            Course::Pick(pick) => pick.explain(),
        }
    }

    /// Stands before the next record that is wanted; `false` when there is none.
    #[inline]
    fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            match self.step()? {
                Step::Stands => return Ok(true),
                Step::Passed => {}
                Step::Over => return Ok(false),
            }
        }
    }

    /// Goes on to the next record that is wanted, or some way towards it.
    #[inline]
    pub(super) fn step(&mut self) -> Result<Step, ReadError> {
        if self.is_spent() {
            return Ok(Step::Over);
        }
        let step = match &mut self.course {
            Course::Sweep(sweep) => sweep.advance().map(|stands| if stands { Step::Stands } else { Step::Over })?,
            Course::Pick(pick) => pick.step()?,
        };
        match self.missing_end.take_if(|_| step == Step::Over) {
            Some(damage) => Err(ReadError::Damaged(damage)),
            None => Ok(step),
        }
    }

    /// The record that [`Cursor::step`] stands before.
    #[inline]
    pub(super) fn take(&mut self) -> Result<Record<'_>, ReadError> {
        self.remaining -= 1;
        match &mut self.course {
            Course::Sweep(sweep) => sweep.take(),
            Course::Pick(pick) => pick.take(),
        }
    }

    /// Whether as many records were read as were asked for.
    pub(super) fn is_spent(&self) -> bool {
        self.remaining == 0
    }

    /// Reads on to a later head, from a position on; all up to the head so far has been read.
    pub(super) fn extend(&mut self, positions: &Range<Position>, missing_end: Option<Damage>) {
        self.head = positions.end;
        self.missing_end = missing_end;
        match &mut self.course {
            Course::Sweep(sweep) => sweep.extend(positions),
            Course::Pick(pick) => pick.extend(positions),
        }
    }
}

/// The positions that a read is about.
fn positions<D: Disk>(library: &Library<D>, read: &Read, head: Position) -> Range<Position> {
    let since = read.since.map_or(Position::START, |since| library.index.first_since(since, head));
    let until = read.until.map_or(head, |until| until.min(head));
    match (read.is_backward, read.from) {
        (false, from) => from.unwrap_or_default().max(since)..until,
        (true, from) => since..from.map_or(until, |from| from.plus(1).min(until)),
    }
}

/// The revisions that a read is about.
fn revisions(selection: &Selection, from: Option<Revision>, is_backward: bool) -> RangeInclusive<Revision> {
    match (selection, from) {
        (Selection::Stream(_), Some(from)) if is_backward => *ALL_REVISIONS.start()..=from,
        (Selection::Stream(_), Some(from)) => from..=*ALL_REVISIONS.end(),
        _ => ALL_REVISIONS,
    }
}
