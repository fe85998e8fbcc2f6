//! Searching the whole log for single answers: the last match, the first matches, the place of a revision.

use super::fetch::segment_of;
use super::handle::Index;
use super::key::Key;
use super::plan::{Plan, Tally};
use crate::disk::Disk;
use crate::log::BatchSource;
use gesta_model::codec::{RecordWalk, RequestHeader};
use gesta_model::{Damage, Position, Revision};
use std::ops::Range;

impl<D: Disk> Index<D> {
    /// The last position of a range at which an event matches. Damage within the range may hide one, and is an error.
    pub(crate) fn last_match(&self, plan: &Plan, positions: Range<Position>) -> Result<Option<Position>, Damage> {
        let set = self.set.load();
        let mut rest = positions.clone();
        while let Some(span) = set.next_span(&mut rest, true, plan) {
            let (last, gap) = span.part.ask(&self.reading(), span.end, |source| {
                let found = plan.ordinals(source, span.ordinals(), span.end_ordinal(), &mut Tally::default())?;
                let gaps = source.gaps_up_to(span.end).into_iter();
                Ok((found.max(), gaps.into_iter().find(|gap| overlap(&gap.positions, &span.positions))))
            });
            if let Some(last) = last {
                return Ok(Some(span.position(last)));
            }
            if let Some(gap) = gap {
                return Err(gap);
            }
        }
        match set.missing_start(positions.end).filter(|gap| overlap(&gap.positions, &positions)) {
            Some(gap) => Err(gap),
            None => Ok(None),
        }
    }

    /// The last position of a range at which an event has a key that only single events have, such as a request id.
    pub(crate) fn last_with(&self, key: Key, positions: Range<Position>) -> Result<Option<Position>, Damage> {
        self.last_match(&Plan::of_key(key), positions)
    }

    /// The first positions of a range at which events match, as far as they can be read.
    pub(crate) fn first_matches(&self, plan: &Plan, positions: Range<Position>, count_max: usize) -> Vec<Position> {
        let set = self.set.load();
        let mut found = Vec::new();
        let mut rest = positions;
        while let Some(span) = set.next_span(&mut rest, false, plan) {
            let ordinals = span.part.ask(&self.reading(), span.end, |source| {
                plan.ordinals(source, span.ordinals(), span.end_ordinal(), &mut Tally::default())
            });
            found.extend(ordinals.into_iter().map(|ordinal| span.position(ordinal)).take(count_max - found.len()));
            if found.len() == count_max {
                break;
            }
        }
        found
    }

    /// Where a revision of a stream stands, below a position.
    pub(crate) fn position_of(
        &self,
        stream: Key,
        revision: Revision,
        below: Position,
    ) -> Result<Option<Position>, Damage> {
        let set = self.set.load();
        for span in set.spans(Position::START..below).rev() {
            let end = span.end_ordinal().min(span.ordinals().end);
            let (term, ordinal, gap) = span.part.ask(&self.reading(), span.end, |source| {
                let term = source.term(stream, end)?;
                let nth = term.and_then(|term| revision.0.checked_sub(term.first_revision?.0));
                let ordinal = match term.zip(nth) {
                    Some((term, nth)) => source.nth_ordinal(&term, nth, end)?,
                    None => None,
                };
                Ok((term, ordinal, source.gaps_up_to(span.end).into_iter().next()))
            });
            match (term, ordinal, gap) {
                (_, _, Some(gap)) => return Err(gap),
                (_, Some(ordinal), None) => return Ok(Some(span.position(ordinal))),
                // A later revision than the stream has.
                (Some(term), None, None) if term.first_revision.is_some_and(|first| first <= revision) => {
                    return Ok(None);
                }
                (_, None, None) => {}
            }
        }
        Ok(None)
    }

    /// The header of the request whose first event stands at a position, verified with its whole batch.
    pub(crate) fn request_at(&self, position: Position, below: Position) -> Result<RequestHeader, Damage> {
        let (file, what) = match self.set.load().span_at(position, below) {
            None => ("the log".to_owned(), "the segment that held it is missing".to_owned()),
            Some(span) => {
                let ordinal = span.ordinals().start;
                let place = span.part.ask(&self.reading(), span.end, |source| source.batch_of(ordinal));
                let segment = segment_of(self.log(), span.part.number);
                match (place, segment) {
                    (Some(place), Some(segment)) => match segment.view() {
                        Ok(view) => {
                            match read_request(BatchSource::new(view, &self.log().origin), place.offset, position) {
                                Some(header) => return Ok(header),
                                None => (segment.path.clone(), "the request is not where the index has it".to_owned()),
                            }
                        }
                        Err(error) => (segment.path.clone(), error.to_string()),
                    },
                    _ => ("the log".to_owned(), "the batch is damaged".to_owned()),
                }
            }
        };
        Err(Damage { file, offset: 0, positions: position..position.plus(1), what })
    }
}

/// The header of the request that begins at a position, in the batch at an offset.
fn read_request<B: crate::log::Bytes>(
    mut source: BatchSource<'_, B>,
    offset: u64,
    position: Position,
) -> Option<RequestHeader> {
    let found = source.batch_at(offset).ok()?;
    let body = source.verified_body(&found).ok()?;
    let mut walk = RecordWalk::new(&found.header);
    while walk.position() < position {
        walk.skip(body)?.ok()?;
    }
    walk.next_place(body)?.ok()?.request
}

fn overlap(one: &Range<Position>, other: &Range<Position>) -> bool {
    one.start < other.end && other.start < one.end
}
