//! Damage in a sealed segment that has lost its index file makes a gap: what it may have held is never denied, and all else
//! is found.

use crate::support::small_options;
use crate::vocabulary::{EventDraft, event_draft, id, query};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendError, AppendRequest, Cursor, Event, ExpectedRevision, NameKind, Options, Position, Query, Read, ReadError,
    Receipt, Revision, Store, StoredEvent, StreamName, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

type Checked = Result<(), TestCaseError>;

#[test]
fn what_a_gap_may_have_held_is_never_denied() {
    let gaps = AtomicU32::new(0);
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let cases = (vec(vec(event_draft(), 1..4), 15..40), vec(query(), 1..4), any::<u64>());
    let outcome = TestRunner::new(config).run(&cases, |(requests, queries, flip)| {
        let story = Story::live(&requests);
        let segment = story.disk.image(FIRST_SEGMENT).len() as u64;
        story.disk.flip_bit(FIRST_SEGMENT, HEADER_BYTES + (flip >> 3) % (segment - HEADER_BYTES), (flip & 7) as u8);
        for name in story.disk.file_names().iter().filter(|name| name.ends_with(".idx") || name.ends_with(".sum")) {
            story.disk.delete(name);
        }
        let store = story.open();
        let gap = story.gap(&store);
        gaps.fetch_add(u32::from(!gap.is_empty()), Ordering::Relaxed);
        for query in &queries {
            story.check_reads(&store, query, &gap)?;
            story.check_conditions(&store, query)?;
        }
        story.check_streams(&store)?;
        // The names and counts of what is damaged were left out without a word.
        let names = store.reader().names(NameKind::Type, "");
        prop_assert_eq!(names.is_err(), !gap.is_empty(), "{:?} beside {:?}", names, gap);
        story.check_retries(&store)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let gaps = gaps.into_inner();
    assert!(gaps > 30, "only {gaps} gaps");
}

/// The sealed one.
const FIRST_SEGMENT: &str = "0000000001-0000.log";
const HEADER_BYTES: u64 = 4096;

/// A store of which everything is known.
struct Story {
    disk: SimulatedDisk,
    requests: Vec<(Vec<Event>, Receipt)>,
    events: Vec<StoredEvent>,
}

impl Story {
    fn live(drafts: &[Vec<EventDraft>]) -> Self {
        let mut story = Self { disk: SimulatedDisk::new(1), requests: Vec::new(), events: Vec::new() };
        let store = story.open();
        let mut next = 0;
        for drafts in drafts {
            let mut event = |draft: &EventDraft| {
                next += 1;
                draft.event(next)
            };
            let events: Vec<Event> = drafts.iter().map(&mut event).collect();
            let named = AppendRequest::new().events(events.clone()).request_id(id(story.requests.len() as u64));
            let receipt = store.append(named).unwrap();
            story.requests.push((events, receipt));
        }
        // Whatever was drawn: the first segment is full.
        let filler = EventDraft { stream: Some("filler-1"), event_type: "Placed", tags: Vec::new(), size: 700 };
        for number in 0..8 {
            store.append(AppendRequest::new().event(filler.event(1_000 + number))).unwrap();
        }
        story.events = read(store.read(Read::all())).0;
        store.close().unwrap();
        story
    }

    fn open(&self) -> Store<SimulatedDisk> {
        let options = Options { segment_bytes_max: 8192, ..small_options() };
        Store::open_on(self.disk.clone(), options).unwrap()
    }

    /// The positions that a look at everything does not come by.
    fn gap(&self, store: &Store<SimulatedDisk>) -> Range<Position> {
        let (found, damaged) = read(store.read(Read::all()));
        assert_eq!(found.len() as u64 + damaged.iter().map(|gap| gap.end.0 - gap.start.0).sum::<u64>(), self.len());
        damaged.first().cloned().unwrap_or_default()
    }

    fn len(&self) -> u64 {
        self.events.len() as u64
    }

    fn matching(&self, query: &Query) -> impl DoubleEndedIterator<Item = Position> {
        self.events.iter().filter(|event| query.matches(&event.record())).map(StoredEvent::position)
    }

    /// All that matches is found but what is in the gap, and the gap is told of if it was come by.
    fn check_reads(&self, store: &Store<SimulatedDisk>, query: &Query, gap: &Range<Position>) -> Checked {
        for from in (0..=self.len()).step_by(3).map(Position) {
            for is_backward in [false, true] {
                let asked = if is_backward { Position(0)..from.plus(1) } else { from..Position(self.len()) };
                let asked_for = Read::query(query.clone()).from(from);
                let asked_for = if is_backward { asked_for.backwards() } else { asked_for };
                let (found, damaged) = read(store.read(asked_for));
                let mut expected: Vec<Position> = self
                    .matching(query)
                    .filter(|position| asked.contains(position) && !gap.contains(position))
                    .collect();
                if is_backward {
                    expected.reverse();
                }
                let found: Vec<Position> = found.iter().map(StoredEvent::position).collect();
                prop_assert_eq!(found, expected, "{} of {:?} beside {:?}", query, asked, gap);
                let is_touched = gap.start < asked.end && asked.start < gap.end;
                prop_assert_eq!(!damaged.is_empty(), is_touched, "{} of {:?} beside {:?}", query, asked, gap);
            }
        }
        Ok(())
    }

    /// No condition holds that does not, and none fails that holds.
    fn check_conditions(&self, store: &Store<SimulatedDisk>, query: &Query) -> Checked {
        for after in (0..=self.len()).map(Position) {
            let holds = self.matching(query).all(|position| position < after);
            match store.append(AppendRequest::new().unless(query.clone(), after)) {
                Ok(_) => prop_assert!(holds, "{} after {}", query, after),
                Err(AppendError::Conflict(_)) => prop_assert!(!holds, "{} after {}", query, after),
                Err(AppendError::Degraded { .. }) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
        Ok(())
    }

    /// No stream is taken to stand elsewhere.
    fn check_streams(&self, store: &Store<SimulatedDisk>) -> Checked {
        for name in ["order-1", "order-2", "user-1", "user", "-odd", "absent"] {
            let of_stream = self.events.iter().filter(|event| event.record().stream() == Some(name)).count() as u64;
            let actual = of_stream.checked_sub(1).map(Revision);
            for expected in [None, Some(0), Some(1), Some(5), of_stream.checked_sub(1)] {
                let expected =
                    expected.map_or(ExpectedRevision::NoStream, |last| ExpectedRevision::Exactly(Revision(last)));
                let check = AppendRequest::new().expect(StreamName::new(name).unwrap(), expected);
                match store.append(check) {
                    Ok(_) => prop_assert!(expected.holds(actual), "{} at {:?}: {}", name, actual, expected),
                    Err(AppendError::Conflict(_)) => {
                        prop_assert!(!expected.holds(actual), "{} at {:?}: {}", name, actual, expected);
                    }
                    Err(AppendError::Degraded { .. }) => {}
                    Err(error) => return Err(TestCaseError::fail(error.to_string())),
                }
            }
        }
        Ok(())
    }

    /// No request is made a second time.
    fn check_retries(&self, store: &Store<SimulatedDisk>) -> Checked {
        for (ordinal, (events, receipt)) in self.requests.iter().enumerate() {
            let again = AppendRequest::new().events(events.clone()).request_id(id(ordinal as u64));
            match store.append(again) {
                Ok(again) => {
                    prop_assert_eq!(&again.positions, &receipt.positions);
                    prop_assert_eq!(&again.revisions, &receipt.revisions);
                }
                Err(AppendError::Degraded { .. }) => {}
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
        }
        Ok(())
    }
}

/// What a cursor gives, and the positions that are damaged.
fn read(mut cursor: Cursor<SimulatedDisk>) -> (Vec<StoredEvent>, Vec<Range<Position>>) {
    let (mut events, mut damaged) = (Vec::new(), Vec::new());
    while let Some(record) = cursor.next_record() {
        match record {
            Ok(record) => events.push(StoredEvent::new(&record, Timestamp(0))),
            Err(ReadError::Damaged(damage)) => damaged.push(damage.positions),
            Err(error) => panic!("{error}"),
        }
    }
    (events, damaged)
}
