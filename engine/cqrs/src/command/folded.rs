//! The state that a decision rests on, and up to where it was folded.

use crate::{Boundary, Decider, DecodeError, decode};
use gesta_model::{Conflict, ExpectedRevision, FailedCheck, Position, Record, Revision, StreamName};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

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

/// Why an event was not folded in.
pub(super) enum FoldError {
    Decode(DecodeError),
    Panicked(String),
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
    pub(super) fn fold(&mut self, record: &Record<'_>) -> Result<(), FoldError> {
        if record.position() < self.position {
            return Ok(());
        }
        if let Some(event) = decode(record).map_err(FoldError::Decode)? {
            self.evolve(&event).map_err(FoldError::Panicked)?;
        }
        self.position = record.position().plus(1);
        self.event_count += 1;
        self.event_bytes += record.bytes().len() as u64;
        if let (Some(stream), Some(revision)) = (record.stream(), record.revision()) {
            self.stands_at(stream, revision);
        }
        Ok(())
    }

    /// Takes note of the last revision of a stream.
    pub(super) fn stands_at(&mut self, stream: &str, revision: Revision) {
        match self.revisions.get_mut(stream) {
            Some(last) => *last = revision,
            None => {
                self.revisions.insert(stream.to_owned(), revision);
            }
        }
    }

    /// Folds in an event; the error is what a panic said.
    pub(super) fn evolve(&mut self, event: &D::Event) -> Result<(), String> {
        let state = &mut self.state;
        catch_unwind(AssertUnwindSafe(|| D::evolve(state, event))).map_err(|panic| said_by(&*panic))
    }

    /// Decides about a command; the outer error is what a panic said.
    pub(super) fn decide(&self, command: &D::Command) -> Result<Result<Vec<D::Event>, D::Refusal>, String> {
        catch_unwind(AssertUnwindSafe(|| D::decide(&self.state, command))).map_err(|panic| said_by(&*panic))
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

fn said_by(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}
