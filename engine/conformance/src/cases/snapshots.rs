//! Saved fold states, and the events after them.

use crate::Harness;
use crate::support::{drain, put, put_event, query, stream, tagged, text, write};
use gesta_model::{
    EventCursor, EventReader, EventStore, NameError, Position, Selection, Snapshot, SnapshotError, SnapshotInfo,
    SnapshotKey,
};

fn key(text: &str) -> SnapshotKey {
    SnapshotKey::new(text).expect("a snapshot key")
}

fn snapshot(name: &str, schema: u32, position: u64, data: impl Into<Vec<u8>>) -> Snapshot {
    Snapshot { key: key(name), schema, position: Position(position), data: data.into() }
}

#[track_caller]
fn save(store: &impl EventStore, snapshot: Snapshot) {
    store.save_snapshot(snapshot).expect("it is taken");
}

/// The position and the data of a snapshot.
type Found = (u64, Vec<u8>);

/// What a load gives: the snapshot's position and data, the data of the events after it, and the head.
#[track_caller]
fn load(store: &impl EventStore, name: &str, schema: u32, selection: Selection) -> (Option<Found>, Vec<String>, u64) {
    let loaded = store.load(&key(name), schema, selection).expect("it can be loaded");
    let found = loaded.snapshot.map(|found| {
        assert_eq!((&found.key, found.schema), (&key(name), schema));
        (found.position.0, found.data)
    });
    let head = loaded.events.head().0;
    (found, drain(loaded.events).iter().map(|event| text(event.record())).collect(), head)
}

fn of_stream(name: &str) -> Selection {
    Selection::Stream(stream(name))
}

fn listed(store: &impl EventStore, prefix: &str) -> Vec<(String, u32, u64, u64)> {
    let flat = |info: SnapshotInfo| (info.key.as_str().to_owned(), info.schema, info.position.0, info.data_bytes);
    store.snapshots(prefix).unwrap().into_iter().map(flat).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A snapshot comes with the events of the selection that it does not hold, and with the head.
pub fn a_snapshot_comes_with_the_events_after_it<H: Harness>(harness: &H) {
    let store = harness.fresh();
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (None, vec![], 0));
    put(&store, "a-1", &["0", "1"]);
    put_event(&store, tagged("x:1", "2"));
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (None, texts(&["0", "1"]), 3));
    save(&store, snapshot("a-1", 1, 1, "one"));
    put(&store, "a-1", &["3"]);
    let one = || Some((1, b"one".to_vec()));
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (one(), texts(&["1", "3"]), 4));
    assert_eq!(load(&store, "a-1", 1, Selection::Query(query("tag=x:1"))), (one(), texts(&["2"]), 4));
    assert_eq!(load(&store, "a-1", 1, Selection::Everything), (one(), texts(&["1", "2", "3"]), 4));
    assert_eq!(load(&store, "a-1", 1, of_stream("b-1")), (one(), vec![], 4));
    save(&store, snapshot("a-1", 1, 4, "all"));
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (Some((4, b"all".to_vec())), vec![], 4));
}

/// A snapshot may be of nothing yet, and may be empty.
pub fn a_snapshot_may_hold_no_events_and_no_bytes<H: Harness>(harness: &H) {
    let store = harness.fresh();
    save(&store, snapshot("a-1", 0, 0, ""));
    assert_eq!(load(&store, "a-1", 0, of_stream("a-1")), (Some((0, vec![])), vec![], 0));
    put(&store, "a-1", &["0"]);
    assert_eq!(load(&store, "a-1", 0, of_stream("a-1")), (Some((0, vec![])), texts(&["0"]), 1));
}

/// Keys and schemas tell snapshots apart: nobody is given one of another.
pub fn snapshots_of_another_key_or_schema_are_not_loaded<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1"]);
    save(&store, snapshot("a-1", 1, 2, "one"));
    for (name, schema) in [("a-1", 0), ("a-1", 2), ("a-1", u32::MAX), ("a-11", 1), ("a-", 1), ("A-1", 1)] {
        let none = (None, texts(&["0", "1"]), 2);
        assert_eq!(load(&store, name, schema, of_stream("a-1")), none, "{name} {schema}");
    }
    save(&store, snapshot("a-1", 2, 1, "two"));
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")).0, Some((2, b"one".to_vec())));
    assert_eq!(load(&store, "a-1", 2, of_stream("a-1")).0, Some((1, b"two".to_vec())));
}

/// A later snapshot takes the place of an earlier one, and never the other way round.
pub fn the_newest_snapshot_counts_whatever_the_order_of_saving<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1", "2"]);
    for (position, data, newest) in [(1, "1", "1"), (3, "3", "3"), (2, "2", "3"), (0, "0", "3"), (3, "again", "again")]
    {
        save(&store, snapshot("a-1", 1, position, data));
        let found = load(&store, "a-1", 1, of_stream("a-1")).0.unwrap().1;
        assert_eq!(String::from_utf8_lossy(&found), newest, "after {position}");
    }
}

/// A snapshot of events that are not readable yet is refused, and nothing of it stays.
pub fn a_snapshot_ahead_of_the_head_is_refused<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0"]);
    for position in [2, u64::MAX] {
        match store.save_snapshot(snapshot("a-1", 1, position, "ahead")) {
            Err(SnapshotError::AheadOfHead { position: told, head }) => {
                assert_eq!((told, head), (Position(position), Position(1)));
            }
            outcome => panic!("{outcome:?}"),
        }
    }
    assert_eq!(listed(&store, ""), []);
    put(&store, "a-1", &["1", "2"]);
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (None, texts(&["0", "1", "2"]), 3));
    write(&store, crate::support::event("a-1", "3"));
    let head = store.head().unwrap();
    save(&store, snapshot("a-1", 1, head.0, "all that is readable"));
}

/// Any bytes come back as they were, up to the largest that an event may have; larger ones are refused.
pub fn snapshots_are_taken_up_to_their_limit_and_come_back_as_they_were<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0"]);
    let max = harness.limits().data_bytes_max;
    for bytes in [1, 7, 8, 9, 4096, max] {
        let data: Vec<u8> = (1..=250_u8).cycle().take(bytes).collect();
        save(&store, snapshot("a-1", 1, 1, data.clone()));
        assert!(load(&store, "a-1", 1, of_stream("a-1")).0 == Some((1, data)), "{bytes} bytes");
    }
    match store.save_snapshot(snapshot("a-1", 2, 1, vec![0; max + 1])) {
        Err(SnapshotError::TooLarge { bytes, max: told }) => {
            assert_eq!((bytes, told), (max as u64 + 1, max as u64));
        }
        outcome => panic!("{outcome:?}"),
    }
    assert_eq!(listed(&store, ""), [("a-1".to_owned(), 1, 1, max as u64)]);
}

/// Snapshots are listed in the order of their keys, and of their schemas, by how the keys begin.
pub fn snapshots_are_listed_by_their_beginnings<H: Harness>(harness: &H) {
    let store = harness.fresh();
    assert_eq!(listed(&store, ""), []);
    put(&store, "a-1", &["0", "1"]);
    let long = "k".repeat(1024);
    for (name, schema, position) in
        [("b", 1, 1), ("a-2", 1, 2), ("a-1", 7, 1), ("a-1", 2, 2), ("é\n", 0, 0), (&long, 1, 1)]
    {
        save(&store, snapshot(name, schema, position, name));
    }
    let row = |name: &str, schema, position| (name.to_owned(), schema, position, name.len() as u64);
    let all =
        [row("a-1", 2, 2), row("a-1", 7, 1), row("a-2", 1, 2), row("b", 1, 1), row(&long, 1, 1), row("é\n", 0, 0)];
    assert_eq!(listed(&store, ""), all);
    assert_eq!(listed(&store, "a-"), all[..3]);
    assert_eq!(listed(&store, "a-1"), all[..2]);
    assert_eq!(listed(&store, &long), all[4..5]);
    assert_eq!(listed(&store, "c"), []);
    assert!(matches!(SnapshotKey::new(""), Err(NameError::Empty { .. })));
    assert!(matches!(SnapshotKey::new("k".repeat(1025)), Err(NameError::TooLong { max: 1024, .. })));
}

/// Hundreds of snapshots are kept, and each is found.
pub fn each_of_many_snapshots_is_found<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0"]);
    for number in 0..1500_u32 {
        save(&store, snapshot(&format!("k-{number:04}"), 1, 1, number.to_le_bytes()));
    }
    let names: Vec<String> = listed(&store, "k-").into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, (0..1500).map(|number| format!("k-{number:04}")).collect::<Vec<_>>());
    for number in [0, 1, 749, 1499_u32] {
        let found = load(&store, &format!("k-{number:04}"), 1, of_stream("b-1")).0;
        assert_eq!(found, Some((1, number.to_le_bytes().to_vec())));
    }
}

/// Snapshots are dropped by how their keys begin; what is saved afterwards counts again.
pub fn snapshots_are_dropped_by_their_beginnings<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1"]);
    assert_eq!(store.drop_snapshots("").unwrap(), 0);
    for (name, schema) in [("a-1", 1), ("a-1", 2), ("a-2", 1), ("b-1", 1)] {
        save(&store, snapshot(name, schema, 2, "x"));
    }
    assert_eq!(store.drop_snapshots("c").unwrap(), 0);
    assert_eq!(store.drop_snapshots(&"k".repeat(2000)).unwrap(), 0);
    assert_eq!(store.drop_snapshots("a-1").unwrap(), 2);
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (None, texts(&["0", "1"]), 2));
    let names = |store: &H::Store| listed(store, "").into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    assert_eq!(names(&store), ["a-2", "b-1"]);
    // An earlier one than what was dropped is the newest.
    save(&store, snapshot("a-1", 1, 1, "anew"));
    let store = harness.reopen(store);
    assert_eq!(names(&store), ["a-1", "a-2", "b-1"]);
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")).0, Some((1, b"anew".to_vec())));
    assert_eq!(store.drop_snapshots("").unwrap(), 3);
    assert_eq!(names(&store), Vec::<String>::new());
    let store = harness.reopen(store);
    assert_eq!(names(&store), Vec::<String>::new());
    assert_eq!(load(&store, "b-1", 1, of_stream("a-1")), (None, texts(&["0", "1"]), 2));
}

/// Snapshots are there in the next lives of the store, and the newest still counts.
pub fn snapshots_are_there_after_a_reopening<H: Harness>(harness: &H) {
    let mut store = harness.fresh();
    for life in 1..=3_u64 {
        put(&store, "a-1", &["x"]);
        save(&store, snapshot("a-1", 1, life, life.to_le_bytes()));
        save(&store, snapshot("a-1", 1, life - 1, "late"));
        store = harness.reopen(store);
        let expected = Some((life, life.to_le_bytes().to_vec()));
        assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (expected, vec![], life));
    }
    assert_eq!(listed(&store, ""), [("a-1".to_owned(), 1, 3, 8)]);
}

/// Threads that append, fold, save and load at the same time always see a state with exactly the events after it.
pub fn a_state_and_the_events_after_it_are_the_whole_stream<H: Harness>(harness: &H) {
    let store = harness.fresh();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let store = &store;
            scope.spawn(move || {
                for round in 0..15 {
                    put(store, "a-1", &[&format!("{thread} {round}")]);
                    let loaded = store.load(&key("a-1"), 1, of_stream("a-1")).unwrap();
                    let head = loaded.events.head();
                    let mut count =
                        loaded.snapshot.map_or(0, |found| u64::from_le_bytes(found.data.try_into().unwrap()));
                    count += drain(loaded.events).len() as u64;
                    // All events are of the stream.
                    assert_eq!(count, head.0);
                    save(store, snapshot("a-1", 1, head.0, count.to_le_bytes()));
                }
            });
        }
    });
    assert_eq!(load(&store, "a-1", 1, of_stream("a-1")), (Some((45, 45_u64.to_le_bytes().to_vec())), vec![], 45));
}
