//! Queries find what a look at every event finds, wherever the index is: in the open tail, in sealed segments, read anew.

use crate::support::small_options;
use crate::vocabulary::{EventDraft, event_draft, query};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendRequest, Cursor, Durability, Options, Position, Query, Read, ReadError, Store, StoredEvent, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::sync::atomic::{AtomicU32, Ordering};

type Requests = Vec<Vec<EventDraft>>;

#[test]
fn any_query_answers_as_a_full_scan() {
    let rolled = AtomicU32::new(0);
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    let requests = || vec(vec(event_draft(), 1..5), 1..12);
    let cases = (requests(), requests(), requests(), vec(query(), 1..4));
    let outcome = TestRunner::new(config.clone()).run(&cases, |(durable, later, unsynced, queries)| {
        let disk = SimulatedDisk::new(1);
        let mut next = 0;
        let options = Options { segment_bytes_max: 8192, ..small_options() };
        let store = Store::open_on(disk.clone(), options.clone()).unwrap();
        append(&store, &durable, Durability::Durable, &mut next);
        compare(&store, &queries)?;
        append(&store, &later, Durability::Durable, &mut next);
        append(&store, &unsynced, Durability::Buffered, &mut next);
        compare(&store, &queries)?;
        store.close().unwrap();
        let segments = disk.file_names().iter().filter(|name| name.ends_with(".log")).count();
        rolled.fetch_add(u32::from(segments > 2), Ordering::Relaxed);
        // The part of the tail is full now, those of sealed segments are made anew; then the log grows again.
        let store = Store::open_on(disk, options).unwrap();
        compare(&store, &queries)?;
        append(&store, &durable, Durability::Durable, &mut next);
        compare(&store, &queries)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let rolled = rolled.into_inner();
    assert!(rolled * 2 > config.cases, "only {rolled} of {} stores have rolled", config.cases);
}

fn append(store: &Store<SimulatedDisk>, requests: &Requests, durability: Durability, next: &mut u64) {
    for drafts in requests {
        let events = drafts.iter().map(|draft| {
            *next += 1;
            draft.event(*next)
        });
        store.append(AppendRequest::new().events(events).durability(durability)).unwrap();
    }
}

/// Every query from every position in both directions, of durable events and of all.
fn compare(store: &Store<SimulatedDisk>, queries: &[Query]) -> Result<(), TestCaseError> {
    for is_unsynced in [false, true] {
        let shown = |read: Read| if is_unsynced { read.unsynced() } else { read };
        let all = collect(store.read(shown(Read::all()))).unwrap();
        for query in queries {
            let matching: Vec<Position> =
                all.iter().filter(|event| query.matches(&event.record())).map(StoredEvent::position).collect();
            for from in (0..all.len() as u64 + 2).map(Position) {
                let read = || shown(Read::query(query.clone()).from(from));
                let (mut forward, mut backward) = (matching.clone(), matching.clone());
                forward.retain(|position| *position >= from);
                backward.retain(|position| *position <= from);
                backward.reverse();
                prop_assert_eq!(&positions(store.read(read())), &forward, "{} from {}", query, from);
                prop_assert_eq!(&positions(store.read(read().backwards())), &backward, "{} back from {}", query, from);
                let limit = from.0 % 5;
                forward.truncate(usize::try_from(limit).unwrap());
                backward.truncate(usize::try_from(limit).unwrap());
                prop_assert_eq!(&positions(store.read(read().limit(limit))), &forward, "{} from {}", query, from);
                let limited = store.read(read().backwards().limit(limit));
                prop_assert_eq!(&positions(limited), &backward, "{} back from {}", query, from);
            }
        }
    }
    Ok(())
}

fn positions(mut cursor: Cursor<SimulatedDisk>) -> Vec<Position> {
    let mut positions = Vec::new();
    while let Some(record) = cursor.next_record() {
        positions.push(record.unwrap().position());
    }
    positions
}

fn collect(mut cursor: Cursor<SimulatedDisk>) -> Result<Vec<StoredEvent>, ReadError> {
    let mut events = Vec::new();
    while let Some(record) = cursor.next_record() {
        events.push(StoredEvent::new(&record?, Timestamp(0)));
    }
    Ok(events)
}
