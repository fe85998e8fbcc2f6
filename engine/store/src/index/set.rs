//! The index of the whole log: one part a segment, in the order of the log; an immutable set, replaced as a whole.

use super::key::Key;
use super::part::{Part, Reading};
use super::term::Term;
use crate::disk::Disk;
use crate::log::Damage;
use gesta_model::{Position, Revision};
use std::ops::Range;
use std::sync::Arc;

/// All parts.
pub(crate) struct IndexSet<D: Disk> {
    /// Bases grow. The last part is the tail's, or of a tail that does not exist yet.
    pub(crate) parts: Vec<Arc<Part<D>>>,
}

/// The stretch of a part that a question is about.
pub(crate) struct Span<D: Disk> {
    pub(crate) part: Arc<Part<D>>,
    /// Where the part's segment ends, or the question does.
    pub(crate) end: Position,
    /// The positions of the part that are asked for.
    pub(crate) positions: Range<Position>,
}

impl<D: Disk> Span<D> {
    /// The positions that are asked for, as ordinals of the part.
    pub(crate) fn ordinals(&self) -> Range<u32> {
        self.ordinal(self.positions.start)..self.ordinal(self.positions.end)
    }

    /// Where the part ends, as an ordinal.
    pub(crate) fn end_ordinal(&self) -> u32 {
        self.ordinal(self.end)
    }

    /// The position of an ordinal of the part.
    pub(crate) fn position(&self, ordinal: u32) -> Position {
        self.part.base.plus(u64::from(ordinal))
    }

    fn ordinal(&self, position: Position) -> u32 {
        u32::try_from(position.since(self.part.base)).unwrap_or(u32::MAX)
    }
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The revision of its last event.
    pub(crate) revision: Revision,
    /// The position of its last event.
    pub(crate) last: Position,
}

impl<D: Disk> IndexSet<D> {
    /// The set with one more part at its end; one of the same segment is replaced.
    pub(crate) fn with(&self, part: Arc<Part<D>>) -> Self {
        let mut parts = self.parts.clone();
        parts.retain(|other| other.number < part.number);
        parts.push(part);
        Self { parts }
    }

    /// The part that holds a position below `below`.
    pub(crate) fn span_at(&self, position: Position, below: Position) -> Option<Span<D>> {
        let ordinal = self.parts.partition_point(|part| part.base <= position).checked_sub(1)?;
        self.span(ordinal, position..below)
    }

    /// The parts that hold positions of a range, in the order of the log.
    pub(crate) fn spans(&self, positions: Range<Position>) -> impl DoubleEndedIterator<Item = Span<D>> {
        let first = self.parts.partition_point(|part| part.base <= positions.start).saturating_sub(1);
        let after = self.parts.partition_point(|part| part.base < positions.end);
        (first..after.max(first)).filter_map(move |ordinal| self.span(ordinal, positions.clone()))
    }

    /// The stretch of one part; `None` when it holds none of the positions.
    fn span(&self, ordinal: usize, positions: Range<Position>) -> Option<Span<D>> {
        let part = Arc::clone(self.parts.get(ordinal)?);
        let next = self.parts.get(ordinal + 1).map_or(Position::MAX, |next| next.base);
        let end = if next == Position::MAX { positions.end } else { next };
        let positions = positions.start.max(part.base)..positions.end.min(end);
        (positions.start < positions.end).then_some(Span { part, end, positions })
    }

    /// The positions below `below` that no part speaks of, because the first segments are missing.
    pub(crate) fn missing_start(&self, below: Position) -> Option<Damage> {
        let first = self.parts.first().map_or(below, |part| part.base.min(below));
        let what = "the segment that held these positions is missing".to_owned();
        let damage = Damage { file: "the log".to_owned(), offset: 0, positions: Position::START..first, what };
        (first > Position::START).then_some(damage)
    }

    /// The newest of what is known of a key below a position.
    pub(crate) fn newest(&self, reading: &Reading<'_, D>, key: Key, below: Position) -> Result<Option<Term>, Damage> {
        for span in self.spans(Position::START..below).rev() {
            let end = span.end_ordinal().min(span.ordinals().end);
            let (term, gap) = span.part.ask(reading, span.end, |source| {
                Ok((source.term(key, end)?, source.gaps_up_to(span.end).into_iter().next()))
            });
            // What is damaged may have held the key.
            if let Some(gap) = gap {
                return Err(gap);
            }
            if term.is_some() {
                return Ok(term);
            }
        }
        match self.missing_start(below) {
            Some(gap) => Err(gap),
            None => Ok(None),
        }
    }

    /// Where a stream stands, of what lies below a position; `None` when it has no events there.
    pub(crate) fn head_of(&self, reading: &Reading<'_, D>, key: Key, below: Position) -> Result<Option<Head>, Damage> {
        let term = self.newest(reading, key, below)?;
        Ok(term.and_then(|term| Some(Head { revision: term.last_revision()?, last: term.last })))
    }
}
