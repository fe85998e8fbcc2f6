//! Queries that want most events of a segment read it in one go, and answer as if each event had been looked up.

use crate::misplaced::batches;
use crate::support::{small_options, stream};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendRequest, Cursor, Durability, Event, EventType, Options, Position, Query, QueryItem, Read, ReadError,
    Revision, Store,
};

const EVENT_COUNT: u64 = 3_000;
const EVENTS_EACH: u64 = 10;
const FIRST_SEGMENT: &str = "0000000001-0000.log";

/// Every fourth event is a return, of a stream of its own; the others are orders of one stream.
fn is_return(position: u64) -> bool {
    position % 4 == 3
}

/// A store of two full segments and more.
fn filled() -> (SimulatedDisk, Store<SimulatedDisk>) {
    let disk = SimulatedDisk::new(7);
    let options = Options { first_segment_bytes: 256 << 10, segment_bytes_max: 256 << 10, ..small_options() };
    let store = Store::open_on(disk.clone(), options).unwrap();
    for first in (0..EVENT_COUNT).step_by(10) {
        let events = (first..first + EVENTS_EACH).map(|position| {
            let (name, event_type) = if is_return(position) { ("b-1", "Returned") } else { ("a-1", "Ordered") };
            let event = Event::new(EventType::new(event_type).unwrap()).stream(stream(name));
            event.data(format!("{position:0>100}"))
        });
        store.append(AppendRequest::new().events(events).durability(Durability::Durable)).unwrap();
    }
    assert!(disk.file_names().iter().filter(|name| name.ends_with(".log")).count() >= 3);
    (disk, store)
}

fn orders() -> Query {
    Query::from(QueryItem::new().event_type(EventType::new("Ordered").unwrap()))
}

/// Positions in order, and the damage that was told between them.
fn read(mut cursor: Cursor<SimulatedDisk>) -> (Vec<u64>, Vec<(u64, u64)>) {
    let (mut read, mut damaged) = (Vec::new(), Vec::new());
    while let Some(record) = cursor.next_record() {
        match record {
            Ok(record) => {
                assert!(String::from_utf8_lossy(record.data().bytes()).ends_with(&record.position().0.to_string()));
                read.push(record.position().0);
            }
            Err(ReadError::Damaged(damage)) => damaged.push((damage.positions.start.0, damage.positions.end.0)),
            Err(error) => panic!("{error}"),
        }
    }
    (read, damaged)
}

#[test]
fn a_dense_query_answers_as_a_full_scan_from_anywhere() {
    let (_disk, store) = filled();
    let wanted = |from: u64, until: u64| (from..until).filter(|position| !is_return(*position)).collect::<Vec<_>>();
    for from in [0, 1, 3, 9, 10, 255, 1_111, 2_000, EVENT_COUNT - 300, EVENT_COUNT - 1, EVENT_COUNT] {
        let query = || Read::query(orders()).from(Position(from));
        assert_eq!(read(store.read(query())), (wanted(from, EVENT_COUNT), Vec::new()), "from {from}");
        for until in [from, from + 1, from + 400, EVENT_COUNT].map(|until| until.min(EVENT_COUNT)) {
            let bounded = query().until(Position(until));
            assert_eq!(read(store.read(bounded)), (wanted(from, until), Vec::new()), "{from} to {until}");
        }
        let mut few = wanted(from, EVENT_COUNT);
        few.truncate(5);
        assert_eq!(read(store.read(query().limit(5))), (few, Vec::new()), "from {from}");
    }
    let cursor = store.read(Read::query(orders()));
    let backward = read(store.read(Read::query(orders()).backwards())).0;
    assert_eq!(read(cursor).0.into_iter().rev().collect::<Vec<_>>(), backward);
}

#[test]
fn a_dense_stream_is_read_from_a_revision() {
    let (_disk, store) = filled();
    for from in [0, 1, 500, 2_000] {
        let mut cursor = store.read(Read::stream(stream("a-1")).from_revision(Revision(from)));
        let mut next = from;
        while let Some(record) = cursor.next_record() {
            assert_eq!(record.unwrap().revision(), Some(Revision(next)));
            next += 1;
        }
        assert_eq!(next, EVENT_COUNT / 4 * 3, "from {from}");
    }
}

#[test]
fn what_a_dense_query_reads_says_when_it_was_taken() {
    let (_disk, store) = filled();
    let mut all = store.read(Read::all());
    let mut cursor = store.read(Read::query(orders()));
    let mut count = 0;
    while let Some(position) = cursor.next_record().map(|record| record.unwrap().position()) {
        while all.next_record().unwrap().unwrap().position() < position {}
        assert_eq!(cursor.recorded_at(), all.recorded_at(), "{position}");
        count += 1;
    }
    assert_eq!(count, EVENT_COUNT / 4 * 3);
    let touched = cursor.explain().records_touched;
    assert!((EVENT_COUNT - 256..=EVENT_COUNT).contains(&touched), "{touched}: full segments are read in one go");
}

#[test]
fn a_dense_query_names_a_damaged_batch_once_and_goes_on() {
    let (disk, store) = filled();
    store.close().unwrap();
    let (offset, bytes) = batches(&disk, FIRST_SEGMENT)[20];
    disk.flip_bit(FIRST_SEGMENT, offset + bytes - 40, 3);
    let store = Store::open_on(disk, small_options()).unwrap();
    let (found, damaged) = read(store.read(Read::query(orders())));
    assert_eq!(damaged, [(200, 210)]);
    let whole = (0..EVENT_COUNT).filter(|position| !is_return(*position) && !(200..210).contains(position));
    assert_eq!(found, whole.collect::<Vec<_>>());
    let mut cursor = store.read(Read::query(orders()));
    while !matches!(cursor.next_record(), Some(Err(_))) {}
    assert_eq!(cursor.remaining_positions(), Position(210)..Position(EVENT_COUNT));
}
