//! What is refused before it is judged: each limit has a refusal of its own, which leaves nothing and harms nothing.

use crate::Harness;
use crate::support::{event, id, of_type, put, query, read, request, settle, stream, tag, texts};
use gesta_model::limits::{QUERY_TERMS_MAX, REQUEST_CHECKS_MAX, TAG_COUNT_MAX};
use gesta_model::{
    AppendError, AppendRequest, Event, EventStore, EventType, ExpectedRevision, Position, Query, QueryItem, Read,
    RequestError, Uuid,
};

/// The refusal of a request, by `append` and by `submit`; the store goes on.
#[track_caller]
fn refusal(store: &impl EventStore, request: AppendRequest) -> RequestError {
    let head = settle(store);
    let submitted = store.submit(request.clone()).and_then(gesta_model::AppendTicket::wait);
    let refused = match (store.append(request), submitted) {
        (Err(AppendError::Request(one)), Err(AppendError::Request(other))) if one == other => one,
        outcomes => panic!("{outcomes:?}"),
    };
    assert!(refused.to_string().contains(": "), "it says what to do: {refused}");
    assert_eq!(settle(store), head, "a refusal leaves nothing");
    refused
}

/// Data is taken up to its limit.
pub fn data_is_taken_up_to_its_limit<H: Harness>(harness: &H) {
    let (store, max) = (harness.fresh(), harness.limits().data_bytes_max);
    let with_data = |bytes| AppendRequest::new().events([event("a-1", "small"), of_type("Large").data(vec![7; bytes])]);
    let refused = refusal(&store, with_data(max + 1));
    assert_eq!(refused, RequestError::DataTooLong { ordinal: 1, bytes: max + 1, max });
    store.append(with_data(max)).unwrap();
    let shown = read(&store, Read::query(query("type=Large")));
    assert!(shown[0].record().data().bytes() == vec![7; max], "it came back otherwise");
}

/// Metadata is taken up to its limit.
pub fn metadata_is_taken_up_to_its_limit<H: Harness>(harness: &H) {
    let (store, max) = (harness.fresh(), harness.limits().metadata_bytes_max);
    let with_metadata = |bytes| AppendRequest::new().event(event("a-1", "x").metadata(vec![7; bytes]));
    let refused = refusal(&store, with_metadata(max + 1));
    assert_eq!(refused, RequestError::MetadataTooLong { ordinal: 0, bytes: max + 1, max });
    store.append(with_metadata(max)).unwrap();
    assert_eq!(read(&store, Read::all())[0].record().metadata().bytes().len(), max);
}

/// An event has tags up to their limit, in the order given.
pub fn tags_are_taken_up_to_their_limit<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let names: Vec<String> = (0..=TAG_COUNT_MAX).map(|number| format!("t:{number}")).collect();
    let with_tags = |count: usize| names[..count].iter().fold(event("a-1", "x"), |event, name| event.tag(tag(name)));
    let refused = refusal(&store, AppendRequest::new().event(with_tags(TAG_COUNT_MAX + 1)));
    let count = TAG_COUNT_MAX + 1;
    assert_eq!(refused, RequestError::TooManyTags { ordinal: 0, count, max: TAG_COUNT_MAX });
    store.append(AppendRequest::new().event(with_tags(TAG_COUNT_MAX))).unwrap();
    assert!(read(&store, Read::all())[0].record().tags().eq(names[..TAG_COUNT_MAX].iter().map(String::as_str)));
    assert_eq!(texts(&store, Read::query(query("tag=t:0 tag=t:254"))), ["x"]);
}

/// A request has events up to its limit.
pub fn events_are_taken_up_to_their_limit<H: Harness>(harness: &H) {
    let (store, max) = (harness.fresh(), harness.limits().request_events_max);
    let of_events = |count| AppendRequest::new().events(vec![of_type("E"); count]);
    assert_eq!(refusal(&store, of_events(max + 1)), RequestError::TooManyEvents { count: max + 1, max });
    assert_eq!(store.append(of_events(max)).unwrap().positions, Position(0)..Position(max as u64));
}

/// A request has bytes up to its limit.
pub fn bytes_are_taken_up_to_their_limit_in_a_request<H: Harness>(harness: &H) {
    let (store, limits) = (harness.fresh(), harness.limits());
    let large = || of_type("Large").data(vec![7; limits.data_bytes_max]);
    let count = limits.request_bytes_max / limits.data_bytes_max + 1;
    let events: Vec<Event> = (0..count).map(|_| large()).collect();
    match refusal(&store, AppendRequest::new().events(events)) {
        RequestError::TooLarge { bytes, max } => assert!(bytes > max && max == limits.request_bytes_max),
        refused => panic!("{refused}"),
    }
    let below = vec![of_type("Small").data(vec![7; limits.data_bytes_max / 2]); count.min(2)];
    store.append(AppendRequest::new().events(below)).unwrap();
}

/// A request has checks, and terms in their queries, up to their limits.
pub fn checks_and_their_terms_are_taken_up_to_their_limits<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let of_checks = |count: usize| {
        (0..count).fold(request("a-1", &["x"]), |request, _| request.expect(stream("a-1"), ExpectedRevision::Any))
    };
    let (count, max) = (REQUEST_CHECKS_MAX + 1, REQUEST_CHECKS_MAX);
    assert_eq!(refusal(&store, of_checks(count)), RequestError::TooManyChecks { count, max });
    store.append(of_checks(max)).unwrap();
    let of_terms = |count: usize| {
        let types = (0..count).map(|number| EventType::new(number.to_string()).unwrap()).collect();
        Query::from(QueryItem { types, ..QueryItem::new() })
    };
    let of_two = |count: usize| {
        let request = AppendRequest::new().unless(of_terms(count), Position(0));
        request.unless(of_terms(QUERY_TERMS_MAX / 2), Position(0))
    };
    let (count, max) = (QUERY_TERMS_MAX + 1, QUERY_TERMS_MAX);
    let refused = refusal(&store, of_two(QUERY_TERMS_MAX / 2 + 1));
    assert_eq!(refused, RequestError::TooManyTerms { count, max });
    store.append(of_two(QUERY_TERMS_MAX / 2)).unwrap();
}

/// The id of zeros stands for none and is refused, of an event and of a request.
pub fn an_id_of_zeros_is_no_id<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let of_event = AppendRequest::new().events([event("a-1", "0").id(id(1)), event("a-1", "1").id(Uuid::nil())]);
    assert_eq!(refusal(&store, of_event), RequestError::NilId { ordinal: 1 });
    let of_request = request("a-1", &["0"]).request_id(Uuid::nil());
    assert_eq!(refusal(&store, of_request), RequestError::NilRequestId);
    assert_eq!(store.append(request("a-1", &["0"]).request_id(Uuid::max())).unwrap().positions.start, Position(0));
}

/// A refusal among submitted requests touches none of the others.
pub fn a_refusal_among_submitted_requests_touches_no_other<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let nil = || AppendRequest::new().event(event("a-1", "nil").id(Uuid::nil()));
    let failing =
        || request("a-1", &["conflict"]).expect(stream("a-1"), ExpectedRevision::Exactly(gesta_model::Revision(99)));
    let mut tickets = Vec::new();
    for number in 0..10 {
        tickets.push(store.submit(request("a-1", &[&number.to_string()])));
        tickets.push(store.submit(nil()));
        tickets.push(store.submit(failing()));
    }
    for (number, ticket) in tickets.into_iter().enumerate() {
        match (number % 3, ticket.and_then(gesta_model::AppendTicket::wait)) {
            (0, Ok(receipt)) => assert_eq!(receipt.positions.start.0, number as u64 / 3),
            (1, Err(AppendError::Request(RequestError::NilId { ordinal: 0 }))) | (2, Err(AppendError::Conflict(_))) => {
            }
            (_, outcome) => panic!("{number}: {outcome:?}"),
        }
    }
    put(&store, "a-1", &["10"]);
    assert_eq!(texts(&store, Read::all()), (0..=10).map(|number| number.to_string()).collect::<Vec<_>>());
}
