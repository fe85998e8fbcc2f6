//! Queries find what a look at every event finds, wherever the index is: in the open tail, in files, summed up, read anew.

use crate::support::small_options;
use crate::vocabulary::{EventDraft, event_draft, query};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendRequest, Cursor, Durability, IndexReport, Options, Position, Query, QueryItem, Read, ReadError, Store,
    StoredEvent, Tag, Timestamp,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

type Requests = Vec<Vec<EventDraft>>;

#[test]
pub(crate) fn any_query_answers_as_a_full_scan() {
    let config = Config { cases: 30, failure_persistence: None, ..Config::default() };
    let requests = || vec(vec(event_draft(), 1..5), 1..9);
    let cases = (requests(), requests(), requests(), vec(query(), 1..4));
    let outcome = TestRunner::new(config).run(&cases, |(durable, later, unsynced, queries)| {
        let disk = SimulatedDisk::new(1);
        let mut next = 0;
        let options = Options { segment_bytes_max: 8192, ..small_options() };
        let open = || Store::open_on(disk.clone(), options.clone()).unwrap();
        let store = open();
        append(&store, &durable, Durability::Durable, &mut next);
        compare(&store, &queries)?;
        while !has_summary(&disk) {
            append(&store, &vec![vec![large_event(next)]], Durability::Durable, &mut next);
        }
        append(&store, &later, Durability::Durable, &mut next);
        append(&store, &unsynced, Durability::Buffered, &mut next);
        compare(&store, &queries)?;
        check_summary_is_asked(&store)?;
        store.close().unwrap();

        // The tail is full now, and sealed segments are asked through their files.
        let store = open();
        compare(&store, &queries)?;
        check_summary_is_asked(&store)?;
        store.close().unwrap();

        for name in index_files(&disk) {
            disk.delete(&name);
        }
        let store = open();
        prop_assert!(verified(&store).missing.len() >= 8, "{:?}", verified(&store));
        compare(&store, &queries)?;
        store.rebuild_index(&mut |_, _| {}).unwrap();
        prop_assert!(has_summary(&disk));
        let whole = index_files(&disk).len() as u64;
        prop_assert_eq!(
            verified(&store),
            IndexReport { whole, bytes: verified(&store).bytes, ..IndexReport::default() }
        );
        compare(&store, &queries)?;
        check_summary_is_asked(&store)?;
        // Then the log grows again.
        append(&store, &durable, Durability::Durable, &mut next);
        compare(&store, &queries)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A segment takes two of them.
fn large_event(number: u64) -> EventDraft {
    let streams = ["order-1", "order-2", "user"];
    let stream = streams[usize::try_from(number % 3).unwrap()];
    EventDraft { stream: Some(stream), event_type: "Placed", tags: vec!["b:1"], size: 1500 }
}

fn index_files(disk: &SimulatedDisk) -> Vec<String> {
    let mut names = disk.file_names();
    names.retain(|name| name.ends_with(".idx") || name.ends_with(".sum"));
    names
}

fn has_summary(disk: &SimulatedDisk) -> bool {
    index_files(disk).iter().any(|name| name == "0000000001-0000000008.sum")
}

fn verified(store: &Store<SimulatedDisk>) -> IndexReport {
    store.reader().verify_index(&mut |_, _| {})
}

/// Where nothing matches, the summary is asked and not each of the eight segments that it speaks of.
fn check_summary_is_asked(store: &Store<SimulatedDisk>) -> Result<(), TestCaseError> {
    let segments = verified(store).whole;
    for is_backward in [false, true] {
        let read = Read::query(Query::from(QueryItem::new().tag(Tag::new("no:event").unwrap())));
        let mut cursor = store.read(if is_backward { read.backwards() } else { read });
        prop_assert!(cursor.next_record().is_none());
        let asked = cursor.explain().segments_asked;
        prop_assert!(asked + 8 <= segments, "{} of {} files", asked, segments);
    }
    Ok(())
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
