//! What a store is: a list of events, judged by looking at all of them.

use super::draft::Change;
use super::draft::id;
use gesta_model::codec::NO_REVISION;
use gesta_model::{
    AppendError, AppendRequest, Category, Check, Conflict, Durability, EncodedRequest, Event, ExpectedRevision,
    FailedCheck, Limits, NameCount, NameKind, Position, Receipt, Record, Revision, StoredEvent, StreamName, Timestamp,
    Uuid,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Everything that was accepted.
#[derive(Default)]
pub(super) struct Reference {
    /// In order, each as it must come back; when it was taken, a read tells.
    pub(super) events: Vec<StoredEvent>,
    /// The requests with ids: the id, where their events stand, and what they asked for.
    named: Vec<(Uuid, Range<usize>, u64)>,
}

/// A request, kept so that it can be judged and made again. All its events have ids.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) events: Vec<Event>,
    pub(super) checks: Vec<Check>,
    pub(super) durability: Durability,
    pub(super) request_id: Option<Uuid>,
    pub(super) since: Position,
    pub(super) missed_max: u32,
}

/// What a request must be answered.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Made(Range<Position>, Vec<(StreamName, Revision)>),
    Conflict(Vec<FailedCheck>, Position, Vec<StoredEvent>),
    Reused(Position),
    Partial(StreamName, Revision, Position),
    Other(String),
}

impl Wish {
    pub(super) fn request(&self) -> AppendRequest {
        let request = AppendRequest::new().events(self.events.iter().cloned()).durability(self.durability);
        let request = self.checks.iter().fold(request, |request, check| match check.clone() {
            Check::Stream { stream, expected } => request.expect(stream, expected),
            Check::NoEvents { query, after } => request.unless(query, after),
            check => unreachable!("no such check is made here: {check:?}"),
        });
        let request = request.since(self.since).return_missed(self.missed_max);
        self.request_id.into_iter().fold(request, AppendRequest::request_id)
    }

    fn encoded(&self) -> EncodedRequest {
        let encoded = self.request().encode(&Limits::default(), || unreachable!("all events have ids"));
        encoded.expect("a request of the model is within the limits")
    }

    /// The same request with a change; `fresh` is a number that no event has.
    pub(super) fn changed(mut self, change: Change, fresh: u64) -> Self {
        let changed = if matches!(change, Change::FirstId) { self.events.first_mut() } else { self.events.last_mut() };
        if let Some(event) = changed {
            match change {
                Change::Nothing | Change::NoRequestId => {}
                Change::FirstId | Change::LastId => *event = event.clone().id(id(fresh)),
                Change::Data => *event = event.clone().data("something else"),
            }
        }
        self.request_id = self.request_id.filter(|_| !matches!(change, Change::NoRequestId));
        self
    }
}

impl Answer {
    /// What a store answered.
    pub(super) fn of(outcome: Result<Receipt, AppendError>) -> Self {
        match outcome {
            Ok(receipt) => Self::Made(receipt.positions, receipt.revisions),
            Err(AppendError::Conflict(Conflict { failed, head, missed })) => {
                let bare = |event: &StoredEvent| StoredEvent::new(&event.record(), Timestamp(0));
                Self::Conflict(failed, head, missed.iter().map(bare).collect())
            }
            Err(AppendError::RequestIdReused { first, .. }) => Self::Reused(first),
            Err(AppendError::PartialMatch { stream, revision, position }) => Self::Partial(stream, revision, position),
            Err(error) => Self::Other(error.to_string()),
        }
    }
}

impl Reference {
    pub(super) fn head(&self) -> Position {
        Position(self.events.len() as u64)
    }

    pub(super) fn last_revision(&self, stream: &str) -> Option<Revision> {
        self.events.iter().rev().find(|event| event.record().stream() == Some(stream))?.record().revision()
    }

    /// Judges a request, and takes its events where it is made.
    pub(super) fn append(&mut self, wish: &Wish) -> Answer {
        let mut encoded = wish.encoded();
        if let Some(answer) = self.repeat_by_name(wish, encoded.fingerprint()) {
            return answer;
        }
        let failed: Vec<FailedCheck> = wish.checks.iter().filter_map(|check| self.failed(check)).collect();
        if !failed.is_empty() {
            return self.repeat_by_ids(&encoded, &failed).unwrap_or_else(|| {
                let missed = self.events.iter().filter(|event| is_missed(&event.record(), &failed));
                let missed = missed.take(wish.missed_max as usize).cloned().collect();
                Answer::Conflict(failed, self.head(), missed)
            });
        }
        let base = self.events.len();
        let mut revisions = BTreeMap::new();
        encoded.place(self.head(), |stream| {
            let Some(stream) = stream else { return NO_REVISION };
            let last = revisions.get(stream).copied().or(self.last_revision(stream).map(|last| last.0));
            let next = last.map_or(0, |last| last + 1);
            revisions.insert(stream.to_owned(), next);
            next
        });
        let placed = encoded.records(self.head()).map(|(_, record)| StoredEvent::new(&record, Timestamp(0)));
        let placed: Vec<StoredEvent> = placed.collect();
        self.events.extend(placed);
        let range = base..self.events.len();
        if let Some(id) = wish.request_id.filter(|_| !range.is_empty()) {
            self.named.push((id, range.clone(), encoded.fingerprint()));
        }
        self.made(range)
    }

    fn repeat_by_name(&self, wish: &Wish, fingerprint: u64) -> Option<Answer> {
        let wanted = wish.request_id.filter(|_| !wish.events.is_empty())?;
        let is_it = |(id, range, _): &&(Uuid, Range<usize>, u64)| *id == wanted && range.start as u64 >= wish.since.0;
        let (_, range, of_first) = self.named.iter().rfind(is_it)?;
        let is_same = *of_first == fingerprint;
        Some(if is_same { self.made(range.clone()) } else { Answer::Reused(Position(range.start as u64)) })
    }

    /// Where each failed check says that a stream's next event is the request's first of it, and that event's id is the
    /// same, the request was made before: wholly, or in part.
    fn repeat_by_ids(&self, encoded: &EncodedRequest, failed: &[FailedCheck]) -> Option<Answer> {
        let asked: Vec<Record<'_>> = encoded.records(Position::START).map(|(_, record)| record).collect();
        let beliefs: Option<Vec<_>> = failed
            .iter()
            .map(|failed| match failed {
                FailedCheck::Stream { stream, expected, .. } => {
                    let ordinal = asked.iter().position(|record| record.stream() == Some(stream.as_str()))?;
                    Some((stream.clone(), next_revision(*expected)?, ordinal))
                }
                _ => None,
            })
            .collect();
        let (stream, revision, ordinal) = beliefs?.swap_remove(0);
        let stands = self.events.iter().position(|event| {
            event.record().stream() == Some(stream.as_str()) && event.record().revision() == Some(revision)
        })?;
        let base = stands.checked_sub(ordinal)?;
        let is_same = |ordinal: usize| {
            self.events.get(base + ordinal).is_some_and(|event| event.record().id() == asked[ordinal].id())
        };
        let are_all_same = (0..asked.len()).all(is_same);
        is_same(ordinal).then(|| match are_all_same {
            true => self.made(base..base + asked.len()),
            false => Answer::Partial(stream, revision, Position(stands as u64)),
        })
    }

    /// The receipt for events that stand there.
    fn made(&self, range: Range<usize>) -> Answer {
        let mut revisions: Vec<(StreamName, Revision)> = Vec::new();
        for event in &self.events[range.clone()] {
            let record = event.record();
            let (Some(stream), Some(revision)) = (record.stream(), record.revision()) else { continue };
            match revisions.iter_mut().find(|(name, _)| name.as_str() == stream) {
                Some((_, last)) => *last = revision,
                None => revisions.push((StreamName::new(stream).expect("it was taken"), revision)),
            }
        }
        Answer::Made(Position(range.start as u64)..Position(range.end as u64), revisions)
    }

    fn failed(&self, check: &Check) -> Option<FailedCheck> {
        match check.clone() {
            Check::Stream { stream, expected } => {
                let actual = self.last_revision(stream.as_str());
                (!expected.holds(actual)).then_some(FailedCheck::Stream { stream, expected, actual })
            }
            Check::NoEvents { query, after } => {
                let is_found = |event: &&StoredEvent| event.position() >= after && query.matches(&event.record());
                let found = self.events.iter().rfind(is_found)?.position();
                Some(FailedCheck::Query { query, after, found })
            }
            check => unreachable!("no such check is made here: {check:?}"),
        }
    }

    pub(super) fn names(&self, kind: NameKind, prefix: &str) -> Vec<NameCount> {
        let mut found: BTreeMap<String, NameCount> = BTreeMap::new();
        for event in &self.events {
            let record = event.record();
            let names: BTreeSet<&str> = match kind {
                NameKind::Stream => record.stream().into_iter().collect(),
                NameKind::Category => record.stream().and_then(Category::of).into_iter().collect(),
                NameKind::Type => [record.event_type()].into(),
                NameKind::Tag => record.tags().collect(),
            };
            for name in names.into_iter().filter(|name| name.starts_with(prefix)) {
                let count = found.get(name).map_or(0, |known| known.count) + 1;
                let last_revision = record.revision().filter(|_| kind == NameKind::Stream);
                let known = NameCount { name: name.to_owned(), count, last: record.position(), last_revision };
                found.insert(name.to_owned(), known);
            }
        }
        found.into_values().collect()
    }
}

/// Whether one of the failed checks shows that the caller did not know of an event.
fn is_missed(record: &Record<'_>, failed: &[FailedCheck]) -> bool {
    failed.iter().any(|failed| match failed {
        FailedCheck::Query { query, after, .. } => record.position() >= *after && query.matches(record),
        FailedCheck::Stream { stream, expected, .. } => {
            let is_of_stream = record.stream() == Some(stream.as_str());
            is_of_stream && next_revision(*expected).is_some_and(|next| record.revision() >= Some(next))
        }
        failed => unreachable!("no such check is made here: {failed}"),
    })
}

/// The first revision that somebody who expects this does not know.
fn next_revision(expected: ExpectedRevision) -> Option<Revision> {
    match expected {
        ExpectedRevision::NoStream => Some(Revision::FIRST),
        ExpectedRevision::Exactly(revision) => Some(revision.next()),
        ExpectedRevision::Any | ExpectedRevision::StreamExists => None,
    }
}
