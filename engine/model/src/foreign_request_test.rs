//! Requests from elsewhere: what an encoder makes is taken, and nothing else.

use super::*;
use crate::{AppendRequest, Event, EventType, StreamName};

fn request() -> AppendRequest {
    let event = |name: &str| {
        Event::new(EventType::new(name).unwrap()).stream(StreamName::new("order-1").unwrap()).json(r#"{"total":12}"#)
    };
    AppendRequest::new()
        .event(event("Placed"))
        .event(event("Paid").metadata(vec![1, 2, 3]))
        .request_id(Uuid::from_u128(9))
}

fn encoded() -> EncodedRequest {
    let mut ids = 0;
    let make_id = || {
        ids += 1;
        Uuid::from_u128(ids)
    };
    request().encode(&Limits::default(), make_id).unwrap()
}

fn foreign<'a>(records: &'a [u8], of: &EncodedRequest) -> ForeignRequest<'a> {
    ForeignRequest {
        records,
        event_count: of.event_count(),
        checks: of.checks().to_vec(),
        durability: of.durability(),
        request_id: of.request_id(),
        since: of.since(),
        missed_max: of.missed_max(),
    }
}

#[test]
fn a_request_from_elsewhere_is_the_one_that_was_encoded() {
    let encoded = encoded();
    assert_eq!(foreign(encoded.record_bytes(), &encoded).accept(&Limits::default()), Ok(encoded.clone()));
}

#[test]
fn a_pure_check_has_no_bytes() {
    let encoded = AppendRequest::new().encode(&Limits::default(), Uuid::nil).unwrap();
    assert_eq!(encoded.record_bytes(), []);
    assert_eq!(foreign(&[], &encoded).accept(&Limits::default()), Ok(encoded.clone()));
}

#[test]
fn every_flipped_bit_of_the_records_is_refused() {
    let encoded = encoded();
    let records = encoded.record_bytes();
    for bit in 0..records.len() * 8 {
        let mut flipped = records.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(foreign(&flipped, &encoded).accept(&Limits::default()).is_err(), "bit {bit} was taken");
    }
}

#[test]
fn cut_and_added_bytes_are_refused() {
    let encoded = encoded();
    let records = encoded.record_bytes();
    for length in 0..records.len() {
        assert!(foreign(&records[..length], &encoded).accept(&Limits::default()).is_err(), "{length} bytes were taken");
    }
    let longer = [records, &[0; 8]].concat();
    let refused = foreign(&longer, &encoded).accept(&Limits::default());
    assert_eq!(refused, Err(RequestError::TrailingBytes { bytes: 8 }));
}

#[test]
fn limits_are_those_of_a_request_made_here() {
    let encoded = encoded();
    let refused = |limits: Limits| foreign(encoded.record_bytes(), &encoded).accept(&limits).unwrap_err();
    let limits = Limits { data_bytes_max: 11, ..Limits::default() };
    assert_eq!(refused(limits), RequestError::DataTooLong { ordinal: 0, bytes: 12, max: 11 });
    let limits = Limits { metadata_bytes_max: 2, ..Limits::default() };
    assert_eq!(refused(limits), RequestError::MetadataTooLong { ordinal: 1, bytes: 3, max: 2 });
    let limits = Limits { request_events_max: 1, ..Limits::default() };
    assert_eq!(refused(limits), RequestError::TooManyEvents { count: 2, max: 1 });
    let limits = Limits { request_bytes_max: 64, ..Limits::default() };
    assert!(matches!(refused(limits), RequestError::TooLarge { max: 64, .. }));
    let mut absurd = foreign(encoded.record_bytes(), &encoded);
    absurd.event_count = u32::MAX;
    assert!(matches!(absurd.accept(&Limits::default()), Err(RequestError::TooManyEvents { .. })));
}
