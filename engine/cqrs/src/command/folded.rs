//! The state that a decision rests on, and up to where it was folded.

use crate::{Boundary, Decider, DecodeError, decode};
use gesta_model::{Conflict, ExpectedRevision, FailedCheck, Position, Record, Revision, StreamName};
use std::collections::BTreeMap;

/// The state that a decision rests on.
pub(super) struct Folded<D: Decider> {
    pub(super) state: D::State,
    /// Every event of the boundary below it is folded in.
    pub(super) position: Position,
    /// The last revision of each stream that has events in the boundary.
    pub(super) revisions: BTreeMap<String, Revision>,
    /// What was folded since the last snapshot.
    pub(super) event_count: u64,
    /// Bytes of their records.
    pub(super) event_bytes: u64,
}

impl<D: Decider> Folded<D> {
    /// Before any event.
    pub(super) fn nothing() -> Self {
        Self::from(D::State::default(), Position::START, BTreeMap::new())
    }

    /// From a state that holds everything below a position.
    pub(super) fn from(state: D::State, position: Position, revisions: BTreeMap<String, Revision>) -> Self {
        Self { state, position, revisions, event_count: 0, event_bytes: 0 }
    }

    /// Folds in the next event of the boundary. One that is folded in already is passed by.
    pub(super) fn fold(&mut self, record: &Record<'_>) -> Result<(), DecodeError> {
        if record.position() < self.position {
            return Ok(());
        }
        if let Some(event) = decode(record)? {
            D::evolve(&mut self.state, &event);
        }
        self.position = record.position().plus(1);
        self.event_count += 1;
        self.event_bytes += record.bytes().len() as u64;
        if let (Some(stream), Some(revision)) = (record.stream(), record.revision()) {
            match self.revisions.get_mut(stream) {
                Some(last) => *last = revision,
                None => drop(self.revisions.insert(stream.to_owned(), revision)),
            }
        }
        Ok(())
    }

    /// What is to be expected of a stream.
    pub(super) fn expected(&self, stream: &StreamName) -> ExpectedRevision {
        self.revisions.get(stream.as_str()).map_or(ExpectedRevision::NoStream, |last| ExpectedRevision::Exactly(*last))
    }

    /// Whether everything that a conflict complained of is folded in by now.
    pub(super) fn knows_all_of(&self, conflict: &Conflict) -> bool {
        conflict.failed.iter().all(|failed| match failed {
            FailedCheck::Stream { stream, actual, .. } => self.revisions.get(stream.as_str()) == actual.as_ref(),
            FailedCheck::Query { found, .. } => self.position > *found,
            _ => false,
        })
    }

    /// Forgets the revisions of streams that the boundary does not name.
    pub(super) fn keep_revisions_of(&mut self, boundary: &Boundary) {
        self.revisions.retain(|stream, _| boundary.streams().iter().any(|named| named.as_str() == stream));
    }
}
