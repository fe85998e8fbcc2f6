//! A projection that is behind, over reads that come by whatever they are told to.

use super::*;
use crate::project::follower::Follower;
use crate::project::{Parked, TryLater};
use crate::{DomainEvent, MemoryReadModel, ProjectError, Projection, ReadModel, Recorded, encode};
use gesta_model::codec::{encode_record, place_record};
use gesta_model::{Damage, Event, Explanation, ProjectionId, Record, Uuid};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// An event whose number is its position.
#[derive(Debug, Serialize, Deserialize)]
enum Numbered {
    Numbered {
        #[serde(deserialize_with = "watched")]
        number: u64,
    },
}

impl DomainEvent for Numbered {}

/// A number whose decoding is counted.
const WATCHED: u64 = 777_777;
static WATCHED_COUNT: AtomicUsize = AtomicUsize::new(0);

fn watched<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(deserializer)?;
    WATCHED_COUNT.fetch_add(usize::from(number == WATCHED), Ordering::Relaxed);
    Ok(number)
}

/// What reads of a log come by, and which of them there were.
#[derive(Clone, Default)]
struct Log {
    end: u64,
    /// Positions that cannot be read.
    damaged: Option<Range<u64>>,
    /// The position at which the store fails.
    failing: Option<u64>,
    /// The position of an event that cannot be decoded.
    garbled: Option<u64>,
    /// The position of an event with the number whose decoding is counted.
    watched: Option<u64>,
    begun: Arc<Mutex<Vec<Position>>>,
    /// On which threads it was read.
    threads: Arc<Mutex<BTreeSet<String>>>,
}

impl Log {
    fn of(end: u64) -> Self {
        Self { end, ..Self::default() }
    }

    fn joint(&self) -> Position {
        Position(self.end)
    }

    fn read(&self, from: Position) -> Script {
        self.begun.lock().unwrap().push(from);
        Script { log: self.clone(), positions: (from.0..self.end).collect(), event: None }
    }

    fn event(&self, position: u64) -> StoredEvent {
        let number = if self.watched == Some(position) { WATCHED } else { position };
        let mut event = encode(&Numbered::Numbered { number }).unwrap();
        if self.garbled == Some(position) {
            event = Event::new(event.event_type().clone()).json(r#"{"number":"many"}"#);
        }
        let mut bytes = Vec::new();
        encode_record(&event, Uuid::from_u128(position.into()), &mut bytes);
        place_record(&mut bytes, 0, Position(position));
        StoredEvent::new(&Record::decode(&bytes, Position(position)).unwrap().0, Timestamp(9))
    }

    fn begun(&self) -> Vec<u64> {
        self.begun.lock().unwrap().iter().map(|position| position.0).collect()
    }
}

/// A read of a log.
struct Script {
    log: Log,
    positions: VecDeque<u64>,
    event: Option<StoredEvent>,
}

impl EventCursor for Script {
    fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        self.log.threads.lock().unwrap().insert(thread::current().name().unwrap_or_default().to_owned());
        let position = self.positions.pop_front()?;
        if self.log.failing == Some(position) {
            return Some(Err(ReadError::Io { path: "a segment".to_owned(), error: io::Error::other("it is gone") }));
        }
        if let Some(damaged) = self.log.damaged.as_ref().filter(|damaged| damaged.contains(&position)) {
            self.positions.retain(|position| *position >= damaged.end);
            let positions = Position(position)..Position(damaged.end);
            let damage = Damage { file: "a segment".to_owned(), offset: 0, positions, what: "it is rotten".to_owned() };
            return Some(Err(ReadError::Damaged(damage)));
        }
        Some(Ok(self.event.insert(self.log.event(position)).record()))
    }

    fn head(&self) -> Position {
        self.log.joint()
    }

    fn recorded_at(&self) -> Option<Timestamp> {
        Some(Timestamp(9))
    }

    fn explain(&self) -> Explanation {
        Explanation::default()
    }
}

/// Lists the numbers of events.
#[derive(Default)]
struct Numbers {
    /// Positions that it refuses to fold.
    refused: Vec<u64>,
    /// The position that it cannot fold yet.
    later: Option<u64>,
    is_later: Arc<AtomicBool>,
}

impl Projection for Numbers {
    type Event = Numbered;
    type Model = MemoryReadModel<Vec<u64>>;

    fn name(&self) -> &str {
        "numbers"
    }

    fn set_up(&self, _: &mut Vec<u64>) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, rows: &mut Vec<u64>, event: &Recorded<'_, Numbered>) -> Result<(), ProjectError> {
        let position = event.position().0;
        if self.refused.contains(&position) {
            return Err("it is refused".into());
        }
        if self.later == Some(position) && self.is_later.load(Ordering::Relaxed) {
            return Err(TryLater("not yet".into()).into());
        }
        let Numbered::Numbered { number } = event.event;
        rows.push(number);
        Ok(())
    }
}

/// How many events a batch has here.
const BATCH: u64 = crate::project::kept::KEPT_COUNT_MAX as u64;

/// A projection that is behind, and its rows.
struct Behind {
    slot: Slot<Script>,
    model: MemoryReadModel<Vec<u64>>,
}

impl Behind {
    fn new(projection: Numbers) -> Self {
        let model = MemoryReadModel::new();
        let mut behind = Self { slot: Slot::new(Box::new(Follower::new(projection, model.clone()))), model };
        behind.open();
        behind
    }

    /// As a runner opens it, again when it fell back.
    fn open(&mut self) {
        let position = self.slot.follower.open(Uuid::from_u128(1), Position(u64::MAX)).unwrap().unwrap();
        (self.slot.position, self.slot.phase) = (position, Phase::Behind(None));
    }

    /// A turn, as a runner has it.
    fn turn(&mut self, log: &Log) -> Result<(), ReadError> {
        let Phase::Behind(reading) = &mut self.slot.phase else { panic!("it is not behind") };
        let reading = match reading.take() {
            Some(reading) => reading,
            None => self.slot.read_from(log.read(self.slot.position), log.joint())?,
        };
        self.slot.catch_up(reading, log.joint())
    }

    fn turn_until_live(&mut self, log: &Log) {
        while !self.slot.is_live() {
            self.turn(log).unwrap();
        }
    }

    fn rows(&self) -> Vec<u64> {
        self.model.read(|rows, _| rows.clone())
    }

    fn parked(&mut self) -> Vec<Parked> {
        self.model.parked(&ProjectionId { name: "numbers".to_owned(), version: 1 }).unwrap()
    }
}

/// All positions of a log but some.
fn all_but(log: &Log, left_out: &[u64]) -> Vec<u64> {
    (0..log.end).filter(|position| !left_out.contains(position)).collect()
}

#[test]
fn what_another_thread_reads_ahead_is_folded_once_and_in_order() {
    for end in [0, 1, BATCH - 1, BATCH, BATCH + 1, 5 * BATCH, 5 * BATCH + 3] {
        let log = Log::of(end);
        let mut behind = Behind::new(Numbers::default());
        behind.turn_until_live(&log);
        assert_eq!(behind.rows(), all_but(&log, &[]));
        assert_eq!((behind.slot.position, log.begun()), (log.joint(), vec![0]), "one read is enough");
        assert_eq!(log.threads.lock().unwrap().contains("gesta-reader"), end >= BATCH);
    }
}

#[test]
fn each_turn_folds_a_batch_and_keeps_the_next() {
    let log = Log::of(3 * BATCH);
    let mut behind = Behind::new(Numbers::default());
    for batch in 1..=2 {
        behind.turn(&log).unwrap();
        assert_eq!(behind.rows().len() as u64, batch * BATCH);
        assert!(behind.slot.follower.kept().is_full());
    }
}

#[test]
fn where_so_much_is_parked_that_others_get_their_turn_the_rest_is_read_anew() {
    let log = Log::of(4 * BATCH);
    let refused: Vec<_> = (BATCH + 2..BATCH + 13).collect();
    let mut behind = Behind::new(Numbers { refused: refused.clone(), ..Numbers::default() });
    behind.turn_until_live(&log);
    assert_eq!(behind.rows(), all_but(&log, &refused));
    let parked: Vec<_> = behind.parked().iter().map(|parked| parked.position.0).collect();
    assert_eq!(parked, refused);
    assert_eq!(log.begun(), [0, BATCH + 10], "what had been read ahead was dropped");
}

#[test]
fn damage_that_is_met_ahead_is_parked_with_its_batch() {
    let log = Log { damaged: Some(BATCH + 4..BATCH + 6), ..Log::of(3 * BATCH) };
    let mut behind = Behind::new(Numbers::default());
    behind.turn(&log).unwrap();
    assert_eq!((behind.rows().len() as u64, behind.parked()), (BATCH, vec![]));
    behind.turn_until_live(&log);
    assert_eq!(behind.rows(), all_but(&log, &[BATCH + 4, BATCH + 5]));
    let parked = behind.parked();
    assert_eq!((parked.len(), parked[0].position, &*parked[0].event_type), (1, Position(BATCH + 4), ""));
    assert!(parked[0].reason.contains("it is rotten"), "{}", parked[0].reason);
}

#[test]
fn damage_that_is_met_ahead_and_dropped_is_met_again() {
    let log = Log { damaged: Some(2 * BATCH + 4..2 * BATCH + 5), ..Log::of(3 * BATCH) };
    let refused: Vec<_> = (BATCH + 2..BATCH + 13).collect();
    let mut behind = Behind::new(Numbers { refused: refused.clone(), ..Numbers::default() });
    behind.turn_until_live(&log);
    let parked: BTreeSet<_> = behind.parked().iter().map(|parked| parked.position.0).collect();
    let missed: Vec<_> = refused.into_iter().chain([2 * BATCH + 4]).collect();
    assert_eq!((parked, behind.rows()), (missed.iter().copied().collect(), all_but(&log, &missed)));
}

// Damage is parked before the events of its batch. Where so many of these were parked that the rest was read anew, the damage
// was met again, and counted twice.
#[test]
fn damage_that_is_met_twice_is_counted_once() {
    let log = Log { damaged: Some(BATCH + 14..BATCH + 15), ..Log::of(3 * BATCH) };
    let refused: Vec<_> = (BATCH + 2..BATCH + 13).collect();
    let mut behind = Behind::new(Numbers { refused: refused.clone(), ..Numbers::default() });
    behind.turn_until_live(&log);
    assert_eq!((behind.parked().len(), behind.slot.follower.parked_count()), (refused.len() + 1, 12));
}

#[test]
fn a_store_that_fails_ahead_is_told_of_once_what_came_before_is_folded() {
    let mut log = Log { failing: Some(BATCH + 4), ..Log::of(3 * BATCH) };
    let mut behind = Behind::new(Numbers::default());
    assert!(matches!(behind.turn(&log), Err(ReadError::Io { .. })));
    assert_eq!((behind.rows().len() as u64, behind.slot.position), (BATCH, Position(BATCH)));
    // The runner opens everything again then.
    log.failing = None;
    behind.open();
    behind.turn_until_live(&log);
    assert_eq!((behind.rows(), log.begun()), (all_but(&log, &[]), vec![0, BATCH]));
}

#[test]
fn a_projection_that_falls_back_drops_what_was_read_ahead() {
    let log = Log::of(4 * BATCH);
    let is_later = Arc::new(AtomicBool::new(true));
    let later = Some(BATCH + 4);
    let mut behind = Behind::new(Numbers { later, is_later: Arc::clone(&is_later), ..Numbers::default() });
    behind.turn(&log).unwrap();
    behind.turn(&log).unwrap();
    assert!(matches!(behind.slot.phase, Phase::Waiting(_)));
    assert!(matches!(behind.slot.state, ProjectionState::Retrying { failures: 1, .. }));
    is_later.store(false, Ordering::Relaxed);
    behind.open();
    behind.turn_until_live(&log);
    assert_eq!((behind.rows(), behind.parked()), (all_but(&log, &[]), vec![]));
    assert_eq!(log.begun(), [0, BATCH + 4]);
}

#[test]
fn an_event_read_ahead_that_cannot_be_decoded_is_parked_in_its_turn() {
    let log = Log { garbled: Some(BATCH + 4), ..Log::of(2 * BATCH) };
    let mut behind = Behind::new(Numbers { refused: vec![BATCH + 2], ..Numbers::default() });
    behind.turn_until_live(&log);
    assert_eq!(behind.rows(), all_but(&log, &[BATCH + 2, BATCH + 4]));
    let parked = behind.parked();
    let [refused, garbled] = &parked[..] else { panic!("{parked:?}") };
    assert_eq!((refused.position, garbled.position), (Position(BATCH + 2), Position(BATCH + 4)));
    assert_eq!((&*garbled.event_type, garbled.attempts, garbled.recorded_at), ("Numbered", 3, Timestamp(9)));
    assert!(garbled.reason.contains("its data is not what the variant holds"), "{}", garbled.reason);
}

#[test]
fn an_event_that_is_tried_again_is_decoded_once() {
    let log = Log { watched: Some(BATCH + 4), ..Log::of(2 * BATCH) };
    let mut behind = Behind::new(Numbers { refused: vec![BATCH + 4], ..Numbers::default() });
    behind.turn_until_live(&log);
    assert_eq!(behind.parked()[0].attempts, 3);
    assert_eq!(WATCHED_COUNT.load(Ordering::Relaxed), 1);
}
