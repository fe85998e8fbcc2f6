//! Receipts, durabilities, tickets, and the lives of a store.

use crate::Harness;
use crate::support::{event, of_type, positions, put, read, request, settle, stream, texts, write};
use gesta_model::{
    AppendRequest, AppendTicket, Durability, Event, EventReader, EventStore, ExpectedRevision, Position, Read, Revision,
};
use std::collections::BTreeSet;

/// A receipt says where the events stand, and that they are safe.
pub fn a_receipt_says_where_the_events_stand<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let first = put(&store, "a-1", &["0", "1"]);
    assert_eq!(first.positions, Position(0)..Position(2));
    assert_eq!(first.revisions, [(stream("a-1"), Revision(1))]);
    assert_eq!((first.head, first.durability), (Position(2), Durability::Durable));
    let second = put(&store, "a-1", &["2"]);
    assert_eq!(second.positions, Position(2)..Position(3));
    assert_eq!(second.revisions, [(stream("a-1"), Revision(2))]);
    assert_eq!((second.head, store.head().unwrap()), (Position(3), Position(3)));
    assert_eq!(second.incarnation, first.incarnation);
}

/// Events of several streams share a request; the receipt names each stream once, in the order first written.
pub fn events_of_several_streams_keep_the_order_of_their_request<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "b-1", &["earlier"]);
    let mixed = [("b-1", "0"), ("a-1", "1"), ("b-1", "2"), ("c-1", "3"), ("a-1", "4")];
    let receipt = store.append(AppendRequest::new().events(mixed.map(|(name, data)| event(name, data)))).unwrap();
    let revisions = [("b-1", 2), ("a-1", 1), ("c-1", 0)].map(|(name, last)| (stream(name), Revision(last)));
    assert_eq!((receipt.positions, receipt.revisions), (Position(1)..Position(6), revisions.to_vec()));
    assert_eq!(texts(&store, Read::all()), ["earlier", "0", "1", "2", "3", "4"]);
    assert_eq!(texts(&store, Read::stream(stream("b-1"))), ["earlier", "0", "2"]);
    let of_a = read(&store, Read::stream(stream("a-1")));
    let places: Vec<_> = of_a.iter().map(|event| (event.position().0, event.record().revision())).collect();
    assert_eq!(places, [(2, Some(Revision(0))), (5, Some(Revision(1)))]);
}

/// An event without a stream has a position and no revision, and no receipt speaks of a stream.
pub fn an_event_without_a_stream_has_a_position_only<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let events = [of_type("A").data("0"), event("a-1", "1"), of_type("A").data("2")];
    let receipt = store.append(AppendRequest::new().events(events)).unwrap();
    assert_eq!(receipt.positions, Position(0)..Position(3));
    assert_eq!(receipt.revisions, [(stream("a-1"), Revision(0))]);
    let seen = read(&store, Read::all());
    let streams: Vec<_> = seen.iter().map(|event| (event.record().stream(), event.record().revision())).collect();
    assert_eq!(streams, [(None, None), (Some("a-1"), Some(Revision(0))), (None, None)]);
}

/// A request without events leaves nothing; its receipt is of an empty range where it was judged.
pub fn a_request_without_events_leaves_nothing<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let empty = store.append(AppendRequest::new()).unwrap();
    assert_eq!((empty.positions, empty.revisions), (Position(0)..Position(0), Vec::new()));
    put(&store, "a-1", &["0", "1"]);
    let check = AppendRequest::new().expect(stream("a-1"), ExpectedRevision::Exactly(Revision(1)));
    let checked = store.append(check).unwrap();
    assert_eq!((checked.positions, checked.revisions), (Position(2)..Position(2), Vec::new()));
    assert_eq!(store.head().unwrap(), Position(2));
}

/// Each durability is reached, or a better one; the head tells what is durable.
pub fn each_durability_is_reached_or_a_better_one<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for (number, asked) in [Durability::Buffered, Durability::Written, Durability::Durable].into_iter().enumerate() {
        let receipt = store.append(request("a-1", &["x"]).durability(asked)).unwrap();
        assert!(receipt.durability >= asked, "{} for {asked}", receipt.durability);
        assert_eq!(receipt.positions.start, Position(number as u64));
        assert!(receipt.head <= receipt.positions.end);
        assert!(receipt.durability < Durability::Durable || receipt.head == receipt.positions.end);
    }
    assert_eq!(positions(&store, Read::all()), [0, 1, 2]);
}

/// What is acknowledged as durable makes everything before it durable; a request without events does as well.
pub fn a_durable_answer_makes_what_came_before_durable<H: Harness>(harness: &H) {
    let store = harness.fresh();
    store.append(request("a-1", &["0"]).durability(Durability::Buffered)).unwrap();
    write(&store, event("b-1", "1"));
    let receipt = store.append(AppendRequest::new()).unwrap();
    assert_eq!((receipt.head, receipt.durability), (Position(2), Durability::Durable));
    assert_eq!(texts(&store, Read::all()), ["0", "1"]);
    write(&store, event("b-1", "2"));
    assert_eq!(put(&store, "c-1", &["3"]).head, Position(4));
    assert_eq!(texts(&store, Read::all()), ["0", "1", "2", "3"]);
}

/// What is written is shown to those who ask for unsynced events, and to others once it is durable.
pub fn what_is_written_is_shown_to_those_who_ask_for_it<H: Harness>(harness: &H) {
    let store = harness.fresh();
    write(&store, event("a-1", "0"));
    for asked in [Read::all(), Read::stream(stream("a-1")), Read::all().backwards()] {
        assert_eq!(texts(&store, asked.unsynced()), ["0"]);
    }
    let shown = texts(&store, Read::all());
    assert!(shown.is_empty() || store.head().unwrap() == Position(1), "an event beyond the head is shown");
    settle(&store);
    assert_eq!(texts(&store, Read::all()), ["0"]);
}

/// Requests of one thread stand in the order in which they were submitted, in whatever order they are waited for.
pub fn submitted_requests_stand_in_their_order<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let submit = |number: u64| {
        let durability = [Durability::Durable, Durability::Buffered, Durability::Written][(number % 3) as usize];
        let expected =
            number.checked_sub(1).map_or(ExpectedRevision::NoStream, |last| ExpectedRevision::Exactly(Revision(last)));
        let request = request("a-1", &[&number.to_string()]).durability(durability).expect(stream("a-1"), expected);
        store.submit(request).unwrap()
    };
    let tickets: Vec<_> = (0..60).map(submit).collect();
    for (number, ticket) in tickets.into_iter().enumerate().rev() {
        let receipt = ticket.wait().unwrap();
        assert_eq!(receipt.positions.start.0, number as u64);
        assert_eq!(receipt.revisions, [(stream("a-1"), Revision(number as u64))]);
    }
    settle(&store);
    assert_eq!(texts(&store, Read::all()), (0..60).map(|number| number.to_string()).collect::<Vec<_>>());
}

/// Dropping a ticket does not undo its append.
pub fn a_dropped_ticket_undoes_nothing<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for data in ["0", "1", "2"] {
        drop(store.submit(request("a-1", &[data])).unwrap());
    }
    put(&store, "a-1", &["3"]);
    assert_eq!(texts(&store, Read::all()), ["0", "1", "2", "3"]);
}

/// Everything is there after a reopening, of every durability, and the log goes on.
pub fn everything_is_there_after_a_reopening<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0"]);
    write(&store, event("b-1", "1"));
    store.append(request("a-1", &["2"]).durability(Durability::Buffered)).unwrap();
    let store = harness.reopen(store);
    assert_eq!(store.head().unwrap(), Position(3));
    assert_eq!(texts(&store, Read::all()), ["0", "1", "2"]);
    assert_eq!(store.stream_revision(&stream("a-1")).unwrap(), Some(Revision(1)));
    let receipt = put(&store, "a-1", &["3"]);
    assert_eq!((receipt.positions.start, receipt.revisions[0].1), (Position(3), Revision(2)));
}

/// An incarnation is one life long and grows with the next; what lives is not lost in any of them.
pub fn an_incarnation_grows_with_each_life_and_what_lives_is_not_lost<H: Harness>(harness: &H) {
    let mut store = harness.fresh();
    let mut receipts: Vec<gesta_model::Receipt> = Vec::new();
    for life in 0..3 {
        let (one, other) = (put(&store, "a-1", &["x"]), put(&store, "a-1", &["y"]));
        assert_eq!(one.incarnation, other.incarnation);
        assert!(receipts.last().is_none_or(|last| last.incarnation < one.incarnation), "life {life}");
        receipts.extend([one, other]);
        for receipt in &receipts {
            assert!(!store.is_lost(receipt.incarnation, receipt.positions.start).unwrap(), "{receipt:?}");
        }
        store = harness.reopen(store);
    }
    for receipt in &receipts {
        assert!(!store.is_lost(receipt.incarnation, receipt.positions.start).unwrap(), "{receipt:?}");
    }
}

/// A store has a name of its own, which each of its lives has.
pub fn a_store_keeps_its_name_for_all_its_lives<H: Harness>(harness: &H) {
    let (store, other) = (harness.fresh(), harness.fresh());
    let id = store.store_id().unwrap();
    assert_eq!(store.store_id().unwrap(), id);
    assert!(!id.is_nil() && other.store_id().unwrap() != id);
    assert_eq!(harness.reopen(store).store_id().unwrap(), id);
}

/// Callers on many threads share one order without gaps, and each request stands as a whole.
pub fn callers_on_many_threads_share_one_order_without_gaps<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let append = |thread: u64| {
        let data = |number: u64| [number.to_string(), "and".to_owned()];
        let name = format!("thread-{thread}");
        let appended = (0..20).map(|number| put(&store, &name, &data(number).each_ref().map(String::as_str)));
        let starts: Vec<u64> = appended.map(|receipt| receipt.positions.start.0).collect();
        assert!(starts.is_sorted(), "{starts:?}");
        starts
    };
    let starts: BTreeSet<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || append(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(starts, (0..320).step_by(2).collect());
    let expected: Vec<String> = (0..20).flat_map(|number| [number.to_string(), "and".to_owned()]).collect();
    for thread in 0..8 {
        assert_eq!(texts(&store, Read::stream(stream(&format!("thread-{thread}")))), expected);
    }
}

/// An event without an id gets one, of version 7 and different from all others.
pub fn events_without_ids_get_different_ones<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for _ in 0..10 {
        put(&store, "a-1", &["x"; 10]);
    }
    let ids: BTreeSet<_> = read(&store, Read::all()).iter().map(|event| event.record().id()).collect();
    assert_eq!(ids.len(), 100);
    assert!(ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
}

/// A request of thousands of events is one request.
pub fn a_request_of_thousands_of_events_is_taken_whole<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let events = (0..5_000).map(|number: u32| event(["a-1", "b-1"][(number % 2) as usize], &number.to_string()));
    let events: Vec<Event> = events.collect();
    let receipt = store.append(AppendRequest::new().events(events)).unwrap();
    assert_eq!(receipt.positions, Position(0)..Position(5_000));
    assert_eq!(receipt.revisions, ["a-1", "b-1"].map(|name| (stream(name), Revision(2_499))));
    assert_eq!(texts(&store, Read::all()), (0..5_000).map(|number| number.to_string()).collect::<Vec<_>>());
}
