//! Names with their counts, and events by their ids.

use crate::Harness;
use crate::support::{event, id, of_type, put, put_event, read, stream, tag};
use gesta_model::{AppendRequest, EventReader, EventStore, NameCount, NameKind, Position, Read, ReadError, Revision};

const KINDS: [NameKind; 4] = [NameKind::Stream, NameKind::Category, NameKind::Type, NameKind::Tag];

fn listed(store: &impl EventStore, kind: NameKind, prefix: &str) -> Vec<(String, u64, u64, Option<u64>)> {
    let flat = |name: NameCount| (name.name, name.count, name.last.0, name.last_revision.map(|revision| revision.0));
    store.names(kind, prefix).unwrap().into_iter().map(flat).collect()
}

fn name(name: &str, count: u64, last: u64, last_revision: Option<u64>) -> (String, u64, u64, Option<u64>) {
    (name.to_owned(), count, last, last_revision)
}

/// Names of every kind are listed in the order of their bytes, with how many events have them and which is the last.
pub fn names_of_every_kind_are_listed_with_their_counts<H: Harness>(harness: &H) {
    let store = harness.fresh();
    assert!(KINDS.iter().all(|kind| listed(&store, *kind, "").is_empty()));
    // A tag that an event has twice is counted once.
    let doubled = of_type("Paid").stream(stream("order-1")).tag(tag("x:1")).tag(tag("x:1"));
    let events = [
        of_type("Placed").stream(stream("order-2")).tag(tag("x:1")).tag(tag("y:1")),
        of_type("Placed").stream(stream("order-1")),
        doubled,
        of_type("Noted"),
        of_type("paid").stream(stream("user")).tag(tag("X:1")),
        of_type("Paid").stream(stream("-odd")),
    ];
    for event in events {
        put_event(&store, event);
    }
    let store = harness.reopen(store);
    let streams = [("-odd", 1, 5, 0), ("order-1", 2, 2, 1), ("order-2", 1, 0, 0), ("user", 1, 4, 0)];
    let streams = streams.map(|(text, count, last, revision)| name(text, count, last, Some(revision)));
    assert_eq!(listed(&store, NameKind::Stream, ""), streams);
    assert_eq!(listed(&store, NameKind::Category, ""), [name("order", 3, 2, None), name("user", 1, 4, None)]);
    let types = [("Noted", 1, 3), ("Paid", 2, 5), ("Placed", 2, 1), ("paid", 1, 4)];
    assert_eq!(listed(&store, NameKind::Type, ""), types.map(|(text, count, last)| name(text, count, last, None)));
    let tags = [("X:1", 1, 4), ("x:1", 2, 2), ("y:1", 1, 0)];
    assert_eq!(listed(&store, NameKind::Tag, ""), tags.map(|(text, count, last)| name(text, count, last, None)));
}

/// Only names that begin with the prefix are listed; a name begins with itself.
pub fn names_are_listed_by_their_beginnings<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for text in ["order-1", "order-17", "order-170", "orders", "Order-1", "\u{e9}-1"] {
        put(&store, text, &["x"]);
    }
    let names = |prefix: &str| -> Vec<String> {
        store.names(NameKind::Stream, prefix).unwrap().into_iter().map(|name| name.name).collect()
    };
    assert_eq!(names("order-"), ["order-1", "order-17", "order-170"]);
    assert_eq!(names("order-17"), ["order-17", "order-170"]);
    assert_eq!(names("order"), ["order-1", "order-17", "order-170", "orders"]);
    assert_eq!(names("order-170"), ["order-170"]);
    assert_eq!((names("e"), names("\u{e9}"), names("order-1700")), (vec![], vec!["\u{e9}-1".to_owned()], vec![]));
    assert_eq!(names("").len(), 6);
}

/// A listing of thousands of names is whole.
pub fn a_listing_of_thousands_of_names_is_whole<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let events =
        (0..5_000).map(|number| event(&format!("stream-{number:05}"), "x").tag(tag(&format!("n:{}", number % 100))));
    store.append(AppendRequest::new().events(events)).unwrap();
    let streams = listed(&store, NameKind::Stream, "");
    assert!(streams.into_iter().eq((0..5_000).map(|number| name(&format!("stream-{number:05}"), 1, number, Some(0)))));
    assert_eq!(listed(&store, NameKind::Category, ""), [name("stream", 5_000, 4_999, None)]);
    let tags = listed(&store, NameKind::Tag, "n:");
    assert_eq!(tags.len(), 100);
    assert!(tags.iter().all(|(_, count, ..)| *count == 50));
    assert_eq!(listed(&store, NameKind::Stream, "stream-049").len(), 100);
}

/// A store that was not made to find events by their ids says so.
pub fn a_store_without_ids_says_so<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, event("a-1", "x").id(id(1)));
    for number in [1, 2] {
        assert!(matches!(store.event(id(number)), Err(ReadError::NoEventIds)), "{number}");
    }
    let store = harness.reopen(store);
    assert!(matches!(store.event(id(1)), Err(ReadError::NoEventIds)));
    assert_eq!(store.head().unwrap(), Position(1));
}

/// A store that was made for it finds events by their ids: the last one where several have it, none where none has.
pub fn events_are_found_by_their_ids<H: Harness>(harness: &H) {
    let mut store = harness.fresh_with_event_ids();
    assert_eq!(store.event(id(1)).unwrap(), None);
    let numbers = [1, 2, 3, 2, 4];
    let events = numbers.iter().enumerate().map(|(place, number)| event("a-1", &place.to_string()).id(id(*number)));
    store.append(AppendRequest::new().events(events)).unwrap();
    put(&store, "b-1", &["without an id of mine"]);
    for life in 0..2 {
        let all = read(&store, Read::all());
        for (number, place) in [(1, 0), (2, 3), (3, 2), (4, 4)] {
            let found = store.event(id(number)).unwrap().unwrap();
            assert_eq!(found, all[place], "{number} in life {life}");
            assert_eq!(found.recorded_at(), all[place].recorded_at());
            assert_eq!(found.record().revision(), Some(Revision(place as u64)));
        }
        let made = all[5].record().id();
        assert_eq!(store.event(made).unwrap().unwrap().position(), Position(5));
        assert_eq!(store.event(id(5)).unwrap(), None);
        store = harness.reopen(store);
    }
}
