//! Appends to a store that holds a history: with the index against without one, with a condition against without one.

use super::subject::Subject;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::{Latency, Sample};
use crate::workload::Workload;
use crate::yardstick::{PlainLog, ZeroedFile};
use gesta::{AppendRequest, Durability, Position, Query, QueryItem, Tag};
use std::time::{Duration, Instant};

/// Requests of 100 events, each waiting for its durability.
pub(super) struct IndexedAppends<'s> {
    subject: &'s Subject,
    durability: Durability,
}

impl<'s> IndexedAppends<'s> {
    const EVENTS_EACH: u64 = 100;
    /// Requests that are made ahead, so that making them is not measured.
    const AHEAD_COUNT: u64 = 20;

    /// Appends of one durability, `Written` or `Durable`.
    pub(super) fn new(subject: &'s Subject, durability: Durability) -> Self {
        Self { subject, durability }
    }

    fn request(&self) -> AppendRequest {
        let number = self.subject.fresh_number() * Self::EVENTS_EACH;
        let start = self.subject.scale().event_count + number;
        let events = (start..start + Self::EVENTS_EACH).map(|position| self.subject.history.event(position));
        AppendRequest::new().events(events).durability(self.durability)
    }

    /// Has `append` append a round's requests.
    fn run(&self, mut append: impl FnMut(AppendRequest) -> Outcome<()>) -> Outcome<Sample> {
        let round_count = self.subject.append_event_count() / Self::EVENTS_EACH / Self::AHEAD_COUNT;
        let (mut latency, mut elapsed) = (Latency::default(), Duration::ZERO);
        for _ in 0..round_count {
            let requests: Vec<AppendRequest> = (0..Self::AHEAD_COUNT).map(|_| self.request()).collect();
            let begin = Instant::now();
            for request in requests {
                let start = Instant::now();
                append(request)?;
                match self.durability {
                    Durability::Durable => latency.add(start.elapsed()),
                    _ => latency.add_unsynced(start.elapsed()),
                }
            }
            elapsed += begin.elapsed();
        }
        Ok(Sample { event_count: latency.count() * Self::EVENTS_EACH, elapsed, latency })
    }
}

impl Workload for IndexedAppends<'_> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.subject.settings.directory)?;
        let mut log = PlainLog::new(ZeroedFile::create(place.path())?);
        let sample = self.run(|request| {
            log.append(request)?;
            if self.durability == Durability::Durable { log.sync() } else { Ok(()) }
        })?;
        assert_eq!(log.event_count(), sample.event_count, "every call wrote its events");
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let store = &self.subject.store;
        let before = store.reader().head();
        let sample = self.run(|request| Ok(store.append(request).map(drop)?))?;
        store.sync()?;
        let appended = store.reader().head().since(before);
        assert_eq!(appended, sample.event_count, "every receipt stands for its events");
        Ok(sample)
    }
}

/// `Buffered` appends of one event each, unless an event of late has the same tag of its own.
pub(super) struct ConditionalAppends<'s> {
    subject: &'s Subject,
}

impl<'s> ConditionalAppends<'s> {
    /// How far before the end a condition begins: what a writer that has just read would ask.
    const RECENT_COUNT: u64 = 100;

    pub(super) fn new(subject: &'s Subject) -> Self {
        Self { subject }
    }

    fn run(&self, has_condition: bool) -> Outcome<Sample> {
        let Subject { store, history, .. } = self.subject;
        let before = store.reader().head();
        let event_count = self.subject.append_event_count();
        let mut end = before;
        let start = Instant::now();
        for _ in 0..event_count {
            let seat = Tag::new(format!("seat:{}", self.subject.fresh_number()))?;
            let event = history.event(self.subject.scale().event_count + end.0).tag(seat.clone());
            let mut request = AppendRequest::new().event(event).durability(Durability::Buffered);
            if has_condition {
                let after = Position(end.0.saturating_sub(Self::RECENT_COUNT));
                request = request.unless(Query::from(QueryItem::new().tag(seat)), after);
            }
            end = store.append(request)?.positions.end;
        }
        let elapsed = start.elapsed();
        store.sync()?;
        assert_eq!(store.reader().head().since(before), event_count, "every receipt stands for its event");
        Ok(Sample::without_latency(event_count, elapsed))
    }
}

impl Workload for ConditionalAppends<'_> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        self.run(false)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        self.run(true)
    }
}
