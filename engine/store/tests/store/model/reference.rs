//! What a store is, without disks, segments, indexes and threads: a list of events, judged by looking at all of them.

use super::answer::Answer;
use super::wish::Wish;
use gesta::codec::NO_REVISION;
use gesta::{
    Category, Check, Conflict, ExpectedRevision, FailedCheck, NameCount, NameKind, Position, Query, Record, Revision,
    StoredEvent, StreamName, Timestamp, Uuid,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Everything that was accepted and may be in the log.
#[derive(Default)]
pub(super) struct Reference {
    /// In order, each as it must lie in the log.
    events: Vec<StoredEvent>,
    /// When the store took each event, once a read has told.
    recorded_at: Vec<Option<Timestamp>>,
    /// The requests that the events came in.
    requests: Vec<Taken>,
    /// The last revision of each stream.
    revisions: BTreeMap<String, u64>,
}

/// A request that was accepted.
struct Taken {
    id: Option<Uuid>,
    positions: Range<u64>,
}

impl Reference {
    pub(super) fn len(&self) -> u64 {
        self.events.len() as u64
    }

    pub(super) fn head(&self) -> Position {
        Position(self.len())
    }

    /// The events below a position.
    pub(super) fn below(&self, head: Position) -> &[StoredEvent] {
        &self.events[..usize_of(head.0)]
    }

    /// The event at a position.
    pub(super) fn at(&self, position: Position) -> Option<&StoredEvent> {
        self.events.get(usize_of(position.0))
    }

    pub(super) fn last_revision(&self, stream: &str) -> Option<Revision> {
        self.revisions.get(stream).copied().map(Revision)
    }

    /// Accepts a request; it is the last one from now on.
    pub(super) fn take(&mut self, wish: &Wish) {
        let base = self.head();
        let mut encoded = wish.encoded();
        let revisions = &mut self.revisions;
        encoded.place(base, |stream| {
            let Some(stream) = stream else { return NO_REVISION };
            let next = revisions.get(stream).map_or(0, |last| last + 1);
            revisions.insert(stream.to_owned(), next);
            next
        });
        let placed = encoded.records(base).map(|(_, record)| StoredEvent::new(&record, Timestamp(0)));
        self.events.extend(placed);
        self.recorded_at.resize(self.events.len(), None);
        self.requests.push(Taken { id: wish.request_id, positions: base.0..self.len() });
    }

    /// Forgets what did not survive; `false` when that is a part of a request.
    pub(super) fn truncate(&mut self, head: Position) -> bool {
        self.events.truncate(usize_of(head.0));
        self.recorded_at.truncate(usize_of(head.0));
        self.requests.retain(|taken| taken.positions.start < head.0);
        self.revisions.clear();
        for event in &self.events {
            if let (Some(stream), Some(revision)) = (event.record().stream(), event.record().revision()) {
                self.revisions.insert(stream.to_owned(), revision.0);
            }
        }
        self.requests.last().is_none_or(|taken| taken.positions.end <= head.0)
    }

    /// Notes when the store took an event; what was noted before must be the same.
    pub(super) fn note_recorded_at(&mut self, position: Position, time: Timestamp) -> bool {
        *self.recorded_at[usize_of(position.0)].get_or_insert(time) == time
    }

    pub(super) fn recorded_at(&self, position: Position) -> Option<Timestamp> {
        self.recorded_at[usize_of(position.0)]
    }

    /// What a request must be answered at this point of the order.
    pub(super) fn judge(&self, wish: &Wish) -> Answer {
        if let Some(taken) = self.earlier_try(wish) {
            let first = Position(taken.positions.start);
            return if self.asks_for(wish, &taken.positions) {
                self.receipt(taken.positions.clone())
            } else {
                Answer::Reused { first }
            };
        }
        let failed: Vec<FailedCheck> = wish.checks.iter().filter_map(|check| self.failed(check)).collect();
        if failed.is_empty() {
            return self.receipt_of_new(wish);
        }
        if let Some(answer) = self.retry_by_ids(wish, &failed) {
            return answer;
        }
        let missed = self.missed(&failed, wish.missed_max as usize);
        Answer::Conflict(Conflict { failed, head: self.head(), missed })
    }

    fn earlier_try(&self, wish: &Wish) -> Option<&Taken> {
        let id = wish.request_id.filter(|_| !wish.events.is_empty())?;
        self.requests
            .iter()
            .rfind(|taken| taken.id == Some(id) && taken.positions.start >= wish.since.0 && !taken.positions.is_empty())
    }

    /// Whether a request asks for the events at these positions; ids and times are nothing that is asked for.
    fn asks_for(&self, wish: &Wish, positions: &Range<u64>) -> bool {
        let encoded = wish.encoded();
        let asked = encoded.records(Position::START).map(|(_, record)| content(&record));
        let found = self.events[usize_of(positions.start)..usize_of(positions.end)].iter();
        asked.eq(found.map(|event| content(&event.record())))
    }

    fn failed(&self, check: &Check) -> Option<FailedCheck> {
        match check {
            Check::Stream { stream, expected } => {
                let actual = self.last_revision(stream.as_str());
                let holds = match expected {
                    ExpectedRevision::Any => true,
                    ExpectedRevision::NoStream => actual.is_none(),
                    ExpectedRevision::StreamExists => actual.is_some(),
                    ExpectedRevision::Exactly(revision) => actual == Some(*revision),
                };
                (!holds).then(|| FailedCheck::Stream { stream: stream.clone(), expected: *expected, actual })
            }
            Check::NoEvents { query, after } => {
                let found = self.matching(query, *after).next_back()?.position();
                Some(FailedCheck::Query { query: query.clone(), after: *after, found })
            }
            check => unreachable!("no such check is made here: {check:?}"),
        }
    }

    fn matching(&self, query: &Query, from: Position) -> impl DoubleEndedIterator<Item = &StoredEvent> {
        self.events.iter().filter(move |event| event.position() >= from && query.matches(&event.record()))
    }

    /// The events that the failed checks show the caller did not know of.
    fn missed(&self, failed: &[FailedCheck], count_max: usize) -> Vec<StoredEvent> {
        let is_missed = |record: &Record<'_>| {
            failed.iter().any(|failed| match failed {
                FailedCheck::Query { query, after, .. } => record.position() >= *after && query.matches(record),
                FailedCheck::Stream { stream, expected, .. } => {
                    let is_of_stream = record.stream() == Some(stream.as_str());
                    is_of_stream && next_revision(*expected).is_some_and(|next| record.revision() >= Some(next))
                }
                failed => unreachable!("no such check is made here: {failed}"),
            })
        };
        self.events.iter().filter(|event| is_missed(&event.record())).take(count_max).cloned().collect()
    }

    /// What a request is answered because of the ids of its events: where the expected revisions say that
    /// its first event should stand, there is one of the same id.
    fn retry_by_ids(&self, wish: &Wish, failed: &[FailedCheck]) -> Option<Answer> {
        let encoded = wish.encoded();
        let mut believed = failed.iter().map(|failed| match failed {
            FailedCheck::Stream { stream, expected, .. } => {
                let mut records = encoded.records(Position::START).map(|(_, record)| record);
                let ordinal = records.position(|record| record.stream() == Some(stream.as_str()))? as u64;
                Some((stream.clone(), next_revision(*expected)?, ordinal))
            }
            _ => None,
        });
        let first = believed.next()?;
        if believed.any(|belief| belief.is_none()) {
            return None;
        }
        let (stream, revision, ordinal) = first?;
        let stands = self.events.iter().find(|event| {
            event.record().stream() == Some(stream.as_str()) && event.record().revision() == Some(revision)
        });
        let position = stands?.position();
        let base = position.0.checked_sub(ordinal)?;
        let is_same: Vec<bool> = encoded
            .records(Position(base))
            .map(|(_, record)| self.at(record.position()).is_some_and(|event| event.record().id() == record.id()))
            .collect();
        match (is_same[usize_of(ordinal)], is_same.iter().all(|same| *same)) {
            (false, _) => None,
            (true, true) => Some(self.receipt(base..base + is_same.len() as u64)),
            (true, false) => Some(Answer::Partial { stream, revision, position }),
        }
    }

    /// The receipt for events that are there.
    fn receipt(&self, positions: Range<u64>) -> Answer {
        let mut revisions = Vec::new();
        for event in &self.events[usize_of(positions.start)..usize_of(positions.end)] {
            note_revision(&mut revisions, event.record().stream(), event.record().revision());
        }
        Answer::Receipt { positions: Position(positions.start)..Position(positions.end), revisions, is_new: false }
    }

    /// The receipt for events that come next.
    fn receipt_of_new(&self, wish: &Wish) -> Answer {
        let mut revisions: Vec<(StreamName, Revision)> = Vec::new();
        for (_, record) in wish.encoded().records(Position::START) {
            let Some(stream) = record.stream() else { continue };
            let known = revisions.iter().find(|(name, _)| name.as_str() == stream).map(|(_, revision)| *revision);
            let last = known.or(self.last_revision(stream));
            note_revision(&mut revisions, Some(stream), Some(last.map_or(Revision::FIRST, Revision::next)));
        }
        let positions = self.head()..self.head().plus(wish.events.len() as u64);
        Answer::Receipt { positions, revisions, is_new: true }
    }

    /// The names that events below a position have.
    pub(super) fn names(&self, kind: NameKind, prefix: &str, head: Position) -> Vec<NameCount> {
        let mut found: BTreeMap<String, NameCount> = BTreeMap::new();
        for event in self.below(head) {
            let record = event.record();
            let names: BTreeSet<&str> = match kind {
                NameKind::Stream => record.stream().into_iter().collect(),
                NameKind::Category => record.stream().and_then(Category::of).into_iter().collect(),
                NameKind::Type => [record.event_type()].into(),
                NameKind::Tag => record.tags().collect(),
            };
            for name in names.into_iter().filter(|name| name.starts_with(prefix)) {
                let last_revision = record.revision().filter(|_| kind == NameKind::Stream);
                let before = found.get(name).map_or(0, |known| known.count);
                let known =
                    NameCount { name: name.to_owned(), count: before + 1, last: record.position(), last_revision };
                found.insert(name.to_owned(), known);
            }
        }
        found.into_values().collect()
    }
}

/// What is asked for when an event is: everything but its id and time.
fn content(record: &Record<'_>) -> (Option<String>, String, Vec<String>, Vec<u8>) {
    let tags = record.tags().map(str::to_owned).collect();
    let data = record.data().bytes().to_vec();
    (record.stream().map(str::to_owned), record.event_type().to_owned(), tags, data)
}

/// The first revision that somebody with this belief does not know.
fn next_revision(expected: ExpectedRevision) -> Option<Revision> {
    match expected {
        ExpectedRevision::NoStream => Some(Revision::FIRST),
        ExpectedRevision::Exactly(revision) => Some(revision.next()),
        ExpectedRevision::Any | ExpectedRevision::StreamExists => None,
    }
}

fn note_revision(known: &mut Vec<(StreamName, Revision)>, stream: Option<&str>, revision: Option<Revision>) {
    let (Some(stream), Some(revision)) = (stream, revision) else { return };
    match known.iter_mut().find(|(name, _)| name.as_str() == stream) {
        Some((_, last)) => *last = revision,
        None => known.push((StreamName::new(stream).unwrap(), revision)),
    }
}

pub(super) fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap()
}
