//! The index of the whole log: one part a segment, in the order of the log; an immutable set, replaced as a whole.

use super::key::Key;
use super::part::{Part, Reading};
use super::plan::Plan;
use super::summaries::Summary;
use super::term::Term;
use crate::disk::Disk;
use gesta_model::{Damage, Position, Revision};
use std::ops::Range;
use std::sync::Arc;

/// All parts.
pub(crate) struct IndexSet<D: Disk> {
    /// Bases grow. The last part is the tail's, or of a tail that does not exist yet.
    pub(crate) parts: Vec<Arc<Part<D>>>,
    /// In no particular order.
    summaries: Vec<Arc<Summary<D>>>,
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
    /// A set without parts.
    pub(super) fn empty() -> Self {
        Self { parts: Vec::new(), summaries: Vec::new() }
    }

    /// The set with one more part at its end; one of the same segment is replaced.
    pub(crate) fn with(&self, part: Arc<Part<D>>) -> Self {
        let mut parts = self.parts.clone();
        parts.retain(|other| other.number < part.number);
        parts.push(part);
        Self { parts, summaries: self.summaries.clone() }
    }

    /// The set with one more summary; one of the same segments is replaced.
    pub(super) fn with_summary(&self, summary: Arc<Summary<D>>) -> Self {
        let mut summaries = self.summaries.clone();
        summaries.retain(|other| !other.is_of(summary.first_number, summary.last_number));
        summaries.push(summary);
        Self { parts: self.parts.clone(), summaries }
    }

    /// The set without summaries.
    pub(super) fn without_summaries(&self) -> Self {
        Self { parts: self.parts.clone(), summaries: Vec::new() }
    }

    /// All summaries.
    pub(super) fn summaries(&self) -> impl Iterator<Item = &Arc<Summary<D>>> {
        self.summaries.iter()
    }

    /// The part of a segment.
    pub(super) fn part(&self, number: u64) -> Option<&Arc<Part<D>>> {
        let ordinal = self.parts.binary_search_by_key(&number, |part| part.number).ok()?;
        self.parts.get(ordinal)
    }

    /// The summary of exactly these segments, if it is believed.
    pub(super) fn summary(&self, first: u64, last: u64) -> Option<&Arc<Summary<D>>> {
        let mut believed = self.summaries.iter().filter(|summary| summary.is_believed());
        believed.find(|summary| summary.is_of(first, last))
    }

    /// The next part of a range that may hold what is looked for, from its front or its back; the range is left without what
    /// was passed. Runs of segments in which nothing can match are passed as a whole.
    pub(crate) fn next_span(&self, positions: &mut Range<Position>, is_backward: bool, plan: &Plan) -> Option<Span<D>> {
        loop {
            let mut spans = self.spans(positions.clone());
            let span = if is_backward { spans.next_back() } else { spans.next() }?;
            drop(spans);
            let barren = self.widest(span.part.number, is_backward).filter(|summary| {
                let covered = summary.positions();
                positions.start <= covered.start && covered.end <= positions.end && !summary.may_match(plan)
            });
            let passed = barren.map_or(span.positions.clone(), |summary| summary.positions());
            if is_backward {
                positions.end = passed.start.max(positions.start);
            } else {
                positions.start = passed.end.min(positions.end);
            }
            if barren.is_none() {
                return Some(span);
            }
        }
    }

    /// The widest summary that begins, or backward ends, with a segment and is believed.
    fn widest(&self, number: u64, is_backward: bool) -> Option<&Arc<Summary<D>>> {
        let edge = |summary: &Summary<D>| if is_backward { summary.last_number } else { summary.first_number };
        let fitting = self.summaries.iter().filter(|summary| edge(summary) == number && summary.is_believed());
        fitting.max_by_key(|summary| summary.last_number - summary.first_number)
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
        (first > Position::START).then(|| {
            let what = "the segment that held these positions is missing".to_owned();
            Damage { file: "the log".to_owned(), offset: 0, positions: Position::START..first, what }
        })
    }

    /// The newest of what is known of a key below a position.
    pub(crate) fn newest(&self, reading: &Reading<'_, D>, key: Key, below: Position) -> Result<Option<Term>, Damage> {
        let mut positions = Position::START..below;
        while let Some(span) = self.spans(positions.clone()).next_back() {
            let summary = self.widest(span.part.number, true).filter(|summary| summary.positions().end <= below);
            if let Some(Ok(term)) = summary.map(|summary| summary.term(key)) {
                if term.is_some() {
                    return Ok(term);
                }
                positions.end = summary.map_or(positions.end, |summary| summary.positions().start);
                continue;
            }
            positions.end = span.positions.start;
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
