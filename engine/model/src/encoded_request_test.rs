//! What an encoded request promises: its limits were asked, its parts are reachable, and its fingerprint tells requests apart.

use super::*;
use crate::{EventType, Query, QueryItem, StreamName, Tag, Timestamp};
use std::collections::BTreeSet;

fn event(event_type: &str) -> Event {
    Event::new(EventType::new(event_type).unwrap())
}

fn tag(text: &str) -> Tag {
    Tag::new(text).unwrap()
}

fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

fn encode(request: AppendRequest) -> Result<EncodedRequest, RequestError> {
    let mut id = 0;
    request.encode(&Limits::default(), || {
        id += 1;
        Uuid::from_u128(id)
    })
}

fn fingerprint_of(events: impl IntoIterator<Item = Event>) -> u64 {
    let request = encode(AppendRequest::new().events(events).request_id(Uuid::from_u128(7))).unwrap();
    request.fingerprint()
}

/// An event that has all parts.
fn whole() -> Event {
    event("OrderPlaced")
        .stream(stream("order-17"))
        .tag(tag("customer:4"))
        .tag(tag("country:nl"))
        .metadata(vec![1, 2, 3])
        .json(r#"{"total":12}"#)
}

#[test]
fn golden_fingerprint_of_a_request() {
    assert_eq!(format!("{:016x}", fingerprint_of([whole(), event("Counted")])), "5f5ca7d07daddb90");
}

#[test]
fn ids_and_times_leave_the_fingerprint_alone() {
    let fingerprint = fingerprint_of([whole()]);
    assert_eq!(fingerprint_of([whole().id(Uuid::from_u128(99))]), fingerprint);
    assert_eq!(fingerprint_of([whole().time(Timestamp(99))]), fingerprint);
}

#[test]
fn every_part_of_an_event_changes_the_fingerprint() {
    let bare = |event_type: &str| event(event_type);
    let requests: Vec<Vec<Event>> = vec![
        vec![whole()],
        vec![whole(), whole()],
        vec![whole(), bare("A")],
        vec![bare("A"), whole()],
        vec![whole().stream(stream("order-18"))],
        vec![whole().tag(tag("one:more"))],
        vec![whole().data(br#"{"total":12}"#.to_vec())],
        vec![whole().json(r#"{"total":13}"#)],
        vec![whole().metadata(vec![1, 2, 4])],
        vec![whole().metadata_json(vec![1, 2, 3])],
        // The same letters, with the borders elsewhere.
        vec![bare("A"), bare("B")],
        vec![bare("B"), bare("A")],
        vec![bare("AB")],
        vec![bare("B").stream(stream("A"))],
        vec![bare("A").data("B")],
        vec![bare("A").metadata("B")],
        vec![bare("A").json("B")],
        vec![bare("A").tag(tag("a:1")).tag(tag("b:2"))],
        vec![bare("A").tag(tag("b:2")).tag(tag("a:1"))],
        vec![bare("A").tag(tag("a:1b:2"))],
        vec![bare("A").tag(tag("a:1")).metadata("\nb:2")],
        vec![bare("A").tag(tag("a:1")).metadata("b").data(":2")],
        vec![bare("A").tag(tag("a:1")).metadata("b:2")],
        vec![bare("A").tag(tag("a:1")).data("b:2")],
    ];
    let count = requests.len();
    let fingerprints: BTreeSet<u64> = requests.into_iter().map(fingerprint_of).collect();
    assert_eq!(fingerprints.len(), count);
    assert!(!fingerprints.contains(&0));
}

#[test]
fn the_header_carries_the_request_id_and_the_fingerprint() {
    let id = Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10);
    let request = AppendRequest::new().event(whole()).event(event("B"));
    let named = encode(request.clone().request_id(id).since(Position(5)).return_missed(3)).unwrap();
    assert_eq!((named.request_id(), named.since(), named.missed_max()), (Some(id), Position(5), 3));
    assert_eq!(named.bytes()[8..24], *id.as_bytes());
    let header = RequestHeader::decode(named.bytes().first_chunk().unwrap());
    assert_eq!(header.fingerprint, named.fingerprint());
    assert_eq!((header.record_count, header.bytes as usize), (2, named.bytes().len()));

    let nameless = encode(request).unwrap();
    assert_eq!((nameless.request_id(), nameless.since(), nameless.fingerprint()), (None, Position::START, 0));
    assert!(nameless.bytes()[8..32].iter().all(|byte| *byte == 0));
}

#[test]
fn records_are_reachable_in_order_with_their_offsets() {
    let request = AppendRequest::new().event(whole()).event(event("B").id(Uuid::from_u128(44)).data("x"));
    let request = encode(request).unwrap();
    let found: Vec<_> = request
        .records(Position(9))
        .map(|(offset, record)| {
            assert_eq!(&request.bytes()[offset..offset + record.bytes().len()], record.bytes());
            (record.position(), record.id(), record.stream())
        })
        .collect();
    let first = (Position(9), Uuid::from_u128(1), Some("order-17"));
    assert_eq!(found, [first, (Position(10), Uuid::from_u128(44), None)]);
    assert_eq!(encode(AppendRequest::new()).unwrap().records(Position(9)).count(), 0);
}

#[test]
fn a_nil_request_id_is_refused() {
    let refused = encode(AppendRequest::new().event(event("A")).request_id(Uuid::nil()));
    assert_eq!(refused, Err(RequestError::NilRequestId));
}

#[test]
fn too_many_checks_are_refused() {
    let request =
        |count| (0..count).fold(AppendRequest::new(), |request, _| request.unless(Query::everything(), Position(1)));
    assert_eq!(encode(request(REQUEST_CHECKS_MAX)).unwrap().checks().len(), REQUEST_CHECKS_MAX);
    let count = REQUEST_CHECKS_MAX + 1;
    assert_eq!(encode(request(count)), Err(RequestError::TooManyChecks { count, max: REQUEST_CHECKS_MAX }));
}

#[test]
fn too_many_query_terms_are_refused_across_all_checks() {
    let query = |count| Query::from(QueryItem { tags: vec![tag("a:1"); count], ..QueryItem::new() });
    let request = |count| AppendRequest::new().unless(query(count), Position(1)).unless(query(1), Position(1));
    assert!(encode(request(QUERY_TERMS_MAX - 1)).is_ok());
    let refused = RequestError::TooManyTerms { count: QUERY_TERMS_MAX + 1, max: QUERY_TERMS_MAX };
    assert_eq!(encode(request(QUERY_TERMS_MAX)), Err(refused));
}
