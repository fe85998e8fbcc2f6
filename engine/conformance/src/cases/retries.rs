//! Requests that are made again: by their request ids, and by the ids of their events.

use crate::Harness;
use crate::support::{
    conflict, event, id, of_type, positions, put, query, request, settle, stream, tagged, texts, write,
};
use gesta_model::{
    AppendError, AppendRequest, AppendTicket, Durability, EventReader, EventStore, ExpectedRevision, Position, Read,
    Receipt, Revision, Timestamp,
};

#[track_caller]
fn is_repeat(first: &Receipt, again: &Receipt) {
    assert_eq!((&again.positions, &again.revisions), (&first.positions, &first.revisions));
}

/// A request made again under its id gets the first receipt and appends nothing, however often and whatever came between.
pub fn a_request_id_gets_the_first_receipt<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "b-1", &["before"]);
    let asked = || request("a-1", &["0", "1"]).event(event("b-1", "2")).request_id(id(1));
    let first = store.append(asked()).unwrap();
    assert_eq!(first.positions, Position(1)..Position(4));
    is_repeat(&first, &store.append(asked()).unwrap());
    put(&store, "a-1", &["3"]);
    let again = store.append(asked()).unwrap();
    is_repeat(&first, &again);
    assert_eq!((again.head, again.durability), (Position(5), Durability::Durable));
    assert_eq!(texts(&store, Read::all()), ["before", "0", "1", "2", "3"]);
}

/// A request id is known in the next life of the store.
pub fn a_request_id_is_known_after_a_reopening<H: Harness>(harness: &H) {
    let mut store = harness.fresh();
    let asked = || request("a-1", &["0"]).request_id(id(1)).expect(stream("a-1"), ExpectedRevision::NoStream);
    let first = store.append(asked()).unwrap();
    for _ in 0..2 {
        store = harness.reopen(store);
        let again = store.append(asked()).unwrap();
        is_repeat(&first, &again);
        assert!(!store.is_lost(again.incarnation, again.positions.start).unwrap());
    }
    assert_eq!(positions(&store, Read::all()), [0]);
}

/// The receipt of an append is found by its request id, as making it again would get it, in every life of the store.
pub fn a_receipt_is_found_by_its_request_id<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let asked = || request("a-1", &["0", "1"]).event(event("b-1", "2")).event(tagged("x:1", "3")).request_id(id(1));
    assert_eq!(store.receipt(id(1)).unwrap(), None);
    put(&store, "b-1", &["before"]);
    store.append(asked()).unwrap();
    put(&store, "a-1", &["after"]);
    let found = store.receipt(id(1)).unwrap().unwrap();
    assert_eq!(found, store.append(asked()).unwrap());
    assert_eq!((found.positions.clone(), found.head), (Position(1)..Position(5), Position(6)));
    assert_eq!(found.revisions, [(stream("a-1"), Revision(1)), (stream("b-1"), Revision(1))]);
    for other in [id(2), id(0)] {
        assert_eq!(store.receipt(other).unwrap(), None, "{other}");
    }
    let store = harness.reopen(store);
    let found_again = store.receipt(id(1)).unwrap().unwrap();
    assert_eq!(found_again, store.append(asked()).unwrap());
    is_repeat(&found, &found_again);
}

/// Requests that were refused, or had no events, leave no receipt; of those under one id, the last is told.
pub fn a_receipt_is_of_events_that_are_there<H: Harness>(harness: &H) {
    let store = harness.fresh();
    store.append(AppendRequest::new().request_id(id(1))).unwrap();
    let refused = request("a-1", &["0"]).request_id(id(2)).expect(stream("a-1"), ExpectedRevision::StreamExists);
    conflict(&store, refused);
    for none in [id(1), id(2)] {
        assert_eq!(store.receipt(none).unwrap(), None, "{none}");
    }
    let asked = |since| request("a-1", &["0"]).request_id(id(3)).since(Position(since));
    store.append(asked(0)).unwrap();
    store.append(asked(1)).unwrap();
    assert_eq!(store.receipt(id(3)).unwrap().unwrap().positions, Position(1)..Position(2));
}

/// The checks of a request that was made already are not judged again.
pub fn checks_are_not_judged_again<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let asked = || {
        let request = request("a-1", &["0"]).request_id(id(1)).expect(stream("a-1"), ExpectedRevision::NoStream);
        request.unless(query("stream=a-1"), Position(0))
    };
    let first = store.append(asked()).unwrap();
    put(&store, "a-1", &["1"]);
    is_repeat(&first, &store.append(asked()).unwrap());
    let with_other_checks =
        request("a-1", &["0"]).request_id(id(1)).expect(stream("z-1"), ExpectedRevision::StreamExists);
    is_repeat(&first, &store.append(with_other_checks).unwrap());
}

/// A request id that was used for other events is refused, and says where those stand.
pub fn a_request_id_of_other_events_is_refused<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "b-1", &["before"]);
    store.append(request("a-1", &["0", "1"]).request_id(id(1))).unwrap();
    let others = [
        request("a-1", &["0"]),
        request("a-1", &["0", "1", "2"]),
        request("a-1", &["1", "0"]),
        request("a-2", &["0", "1"]),
        AppendRequest::new().events([event("a-1", "0"), event("a-1", "1").metadata("m")]),
        AppendRequest::new().events([event("a-1", "0"), event("a-1", "").json("1")]),
        AppendRequest::new().events([of_type("Other").stream(stream("a-1")).data("0"), event("a-1", "1")]),
    ];
    for other in others {
        match store.append(other.clone().request_id(id(1))) {
            Err(AppendError::RequestIdReused { id: told, first }) => assert_eq!((told, first), (id(1), Position(1))),
            outcome => panic!("{other:?}: {outcome:?}"),
        }
    }
    assert_eq!(settle(&store), Position(3));
}

/// Ids and times of events are nothing that a request asks for: made anew, it is the same request.
pub fn a_request_made_anew_is_the_same_whatever_its_ids_and_times<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let asked = |number: i64| {
        let event = event("a-1", "0").time(Timestamp(number)).id(id(100 + number.unsigned_abs() as u128));
        AppendRequest::new().event(event).request_id(id(1))
    };
    let first = store.append(asked(1)).unwrap();
    is_repeat(&first, &store.append(asked(2)).unwrap());
    let kept = crate::support::read(&store, Read::all());
    assert_eq!((kept.len(), kept[0].record().id(), kept[0].record().time()), (1, id(101), Some(Timestamp(1))));
}

/// An earlier try is looked for from `since` on.
pub fn an_earlier_try_is_looked_for_from_since_on<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "b-1", &["before"]);
    let asked = |since| request("a-1", &["0"]).request_id(id(1)).since(Position(since));
    assert_eq!(store.append(asked(1)).unwrap().positions.start, Position(1));
    for since in [0, 1] {
        assert_eq!(store.append(asked(since)).unwrap().positions.start, Position(1));
    }
    // Whoever says that it was first made later than it was has it made again.
    assert_eq!(store.append(asked(2)).unwrap().positions.start, Position(2));
    assert_eq!(store.append(asked(0)).unwrap().positions.start, Position(2));
}

/// A request that comes again while its first try is under way joins it.
pub fn a_request_joins_its_first_try_on_the_way<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let asked = || request("a-1", &["0"]).request_id(id(1));
    let tickets: Vec<_> = (0..5).map(|_| store.submit(asked()).unwrap()).collect();
    for ticket in tickets {
        assert_eq!(ticket.wait().unwrap().positions, Position(0)..Position(1));
    }
    let weak = || request("a-1", &["1"]).request_id(id(2));
    let first = store.submit(weak().durability(Durability::Buffered)).unwrap();
    let again = store.append(weak()).unwrap();
    assert_eq!((again.positions, again.durability), (Position(1)..Position(2), Durability::Durable));
    assert_eq!(first.wait().unwrap().positions, Position(1)..Position(2));
    assert_eq!(settle(&store), Position(2));
}

/// Of many threads that make one request, all get one receipt.
pub fn many_threads_with_one_request_get_one_receipt<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for round in 1..=10 {
        let asked = || request("a-1", &["x"]).request_id(id(round)).expect(stream("a-1"), ExpectedRevision::Any);
        let receipts: Vec<Receipt> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| store.append(asked()).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        receipts.iter().for_each(|receipt| is_repeat(&receipts[0], receipt));
        assert_eq!(u128::from(settle(&store).0), round);
    }
}

/// Equal events under two request ids are two requests; a request without events is judged each time.
pub fn request_ids_tell_requests_apart_and_pure_checks_have_no_memory<H: Harness>(harness: &H) {
    let store = harness.fresh();
    store.append(request("a-1", &["0"]).request_id(id(1))).unwrap();
    store.append(request("a-1", &["0"]).request_id(id(2))).unwrap();
    assert_eq!(texts(&store, Read::all()), ["0", "0"]);
    let pure = || AppendRequest::new().request_id(id(3)).expect(stream("b-1"), ExpectedRevision::NoStream);
    store.append(pure()).unwrap();
    put(&store, "b-1", &["1"]);
    assert_eq!(conflict(&store, pure()).failed.len(), 1);
}

fn with_ids(expected: ExpectedRevision, ids: &[u128]) -> AppendRequest {
    let events = ids.iter().map(|number| event("a-1", &number.to_string()).id(id(*number)));
    AppendRequest::new().events(events).expect(stream("a-1"), expected)
}

const NO_STREAM: ExpectedRevision = ExpectedRevision::NoStream;
const AT_1: ExpectedRevision = ExpectedRevision::Exactly(Revision(1));

/// The events from the expected revision on have the ids of the request's: it is the same append.
pub fn the_same_event_ids_at_the_expected_revision_are_the_same_append<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let first = store.append(with_ids(NO_STREAM, &[1, 2])).unwrap();
    let second = store.append(with_ids(AT_1, &[3, 4])).unwrap();
    put(&store, "a-1", &["later"]);
    is_repeat(&first, &store.append(with_ids(NO_STREAM, &[1, 2])).unwrap());
    is_repeat(&second, &store.append(with_ids(AT_1, &[3, 4])).unwrap());
    assert_eq!(settle(&store), Position(5));
    let store = harness.reopen(store);
    is_repeat(&second, &store.append(with_ids(AT_1, &[3, 4])).unwrap());
    assert_eq!(settle(&store), Position(5));
}

/// If the first id differs it is a conflict; if a later one does, it is told which events are there.
pub fn other_event_ids_are_a_conflict_and_some_the_same_a_partial_match<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "b-1", &["before"]);
    store.append(with_ids(NO_STREAM, &[1, 2])).unwrap();
    store.append(with_ids(AT_1, &[3, 4])).unwrap();
    for others in [&[9_u128, 2][..], &[2, 1], &[3]] {
        assert_eq!(conflict(&store, with_ids(NO_STREAM, others)).failed.len(), 1, "{others:?}");
    }
    let partial = |expected, ids: &[u128]| match store.append(with_ids(expected, ids)) {
        Err(AppendError::PartialMatch { stream, revision, position }) => (stream, revision, position),
        outcome => panic!("{ids:?}: {outcome:?}"),
    };
    assert_eq!(partial(NO_STREAM, &[1, 9]), (stream("a-1"), Revision(0), Position(1)));
    assert_eq!(partial(NO_STREAM, &[1, 2, 9]), (stream("a-1"), Revision(0), Position(1)));
    assert_eq!(partial(AT_1, &[3, 4, 5]), (stream("a-1"), Revision(2), Position(3)));
    assert_eq!(settle(&store), Position(5));
}

/// Event ids mean nothing without an expected revision, or beside a condition that failed.
pub fn event_ids_alone_make_no_repeat<H: Harness>(harness: &H) {
    let store = harness.fresh();
    store.append(with_ids(NO_STREAM, &[1])).unwrap();
    store.append(with_ids(ExpectedRevision::Any, &[1])).unwrap();
    store.append(with_ids(ExpectedRevision::StreamExists, &[1])).unwrap();
    store.append(AppendRequest::new().event(event("a-1", "1").id(id(1)))).unwrap();
    assert_eq!(texts(&store, Read::all()), ["1"; 4]);
    let condition = with_ids(NO_STREAM, &[1]).unless(query("stream=a-1"), Position(0));
    assert_eq!(conflict(&store, condition).failed.len(), 2);
}

/// A request id that is not known makes no difference to the rule of the event ids.
pub fn the_same_event_ids_are_the_same_append_under_another_request_id<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let first = store.append(with_ids(NO_STREAM, &[1, 2]).request_id(id(7))).unwrap();
    let again = store.append(with_ids(NO_STREAM, &[1, 2]).request_id(id(8))).unwrap();
    assert_eq!((again.positions, again.revisions), (first.positions, first.revisions));
    assert_eq!(texts(&store, Read::all()), ["1", "2"]);
}

/// A retry of what is written only is answered, and is as safe as it asks to be.
pub fn a_retry_asks_for_a_durability_of_its_own<H: Harness>(harness: &H) {
    let store = harness.fresh();
    write(&store, event("b-1", "before"));
    let asked = |durability| request("a-1", &["0"]).request_id(id(1)).durability(durability);
    store.append(asked(Durability::Buffered)).unwrap();
    let again = store.append(asked(Durability::Written)).unwrap();
    assert!(again.durability >= Durability::Written);
    let again = store.append(asked(Durability::Durable)).unwrap();
    assert_eq!((again.durability, again.head), (Durability::Durable, Position(2)));
    assert_eq!(texts(&store, Read::all()), ["before", "0"]);
}
