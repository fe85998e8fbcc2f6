//! Events of the domain there and back, and what cannot come back.

use super::*;
use crate::{EncodeError, Labels, encode};
use gesta_model::codec::{encode_record, place_record};
use gesta_model::{Event, EventType, Position, StreamName, Tag, Timestamp, Uuid};
use serde::Serialize;
use serde_json::json;

/// Calls `look` with the record that an event becomes.
fn with_record<T>(event: &Event, look: impl FnOnce(&Record<'_>) -> T) -> T {
    let mut bytes = Vec::new();
    encode_record(event, Uuid::from_u128(5), &mut bytes);
    place_record(&mut bytes, 0, Position(8));
    look(&Record::decode(&bytes, Position(8)).unwrap().0)
}

fn read<E: DomainEvent>(event: &Event) -> Result<Option<E>, DecodeFailure> {
    with_record(event, decode).map_err(|error| error.failure)
}

fn stored(event_type: &str, data: &str) -> Event {
    Event::new(EventType::new(event_type).unwrap()).json(data)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    #[serde(rename = "thing \"one\"", alias = "one")]
    One(String),
    Pair(u8, Option<u8>),
    Named {
        key: String,
        list: Vec<i64>,
    },
}

impl DomainEvent for Shape {
    fn describe(&self, labels: &mut Labels) {
        if let Self::Named { key, .. } = self {
            labels.stream("shape", key).tag("key", key).tag("kind", 1).time(Timestamp(9));
        }
    }
}

#[test]
fn every_form_of_variant_comes_back_as_it_went() {
    let all = [
        Shape::Empty,
        Shape::One("a\"b".to_owned()),
        Shape::Pair(1, None),
        Shape::Named { key: "k".to_owned(), list: vec![-1, 2] },
    ];
    for shape in all {
        assert_eq!(read(&encode(&shape).unwrap()).unwrap(), Some(shape));
    }
}

#[test]
fn an_event_is_stored_under_its_variant_with_its_labels() {
    let event = encode(&Shape::Named { key: "k".to_owned(), list: vec![3] }).unwrap();
    let expected = stored("Named", r#"{"key":"k","list":[3]}"#)
        .stream(StreamName::new("shape-k").unwrap())
        .time(Timestamp(9))
        .tag(Tag::new("key:k").unwrap())
        .tag(Tag::new("kind:1").unwrap());
    assert_eq!(event, expected);
    assert_eq!(encode(&Shape::Empty).unwrap(), Event::new(EventType::new("Empty").unwrap()));
    assert_eq!(encode(&Shape::One("x".to_owned())).unwrap(), stored("thing \"one\"", "\"x\""));
}

#[test]
fn names_are_those_that_serde_knows() {
    assert_eq!(event_types::<Shape>(), Some(&["Empty", "one", "thing \"one\"", "Pair", "Named"][..]));
    assert_eq!(event_types::<Vec<u8>>(), None);
    assert_eq!(read(&stored("one", "\"x\"")).unwrap(), Some(Shape::One("x".to_owned())));
}

#[test]
fn a_name_that_cannot_be_is_refused_when_the_event_is_written() {
    let refused = encode(&Shape::Named { key: "\n".to_owned(), list: vec![] }).unwrap_err();
    assert!(matches!(refused, EncodeError::Name(_)), "{refused}");
}

#[test]
fn what_is_not_the_variants_content_is_an_error_with_its_place() {
    for (event_type, data) in [
        ("Named", r#"{"key":1,"list":[]}"#),
        ("Named", r#"{"list":[]}"#),
        ("Named", r#"{"key":"k","list":[]} x"#),
        ("Named", r#"{"key":"k""#),
        ("Pair", "[1]"),
        ("thing \"one\"", ""),
    ] {
        let failure = read::<Shape>(&stored(event_type, data)).unwrap_err();
        assert!(matches!(failure, DecodeFailure::Data(_)), "{event_type} {data}: {failure}");
    }
    let error = with_record(&stored("Pair", "7"), decode::<Shape>).unwrap_err();
    assert!(error.to_string().starts_with("the event at position 8 (type \"Pair\") cannot be read: "), "{error}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Choosy {
    Known,
}

impl DomainEvent for Choosy {
    const UNKNOWN: UnknownType = UnknownType::Skip;
}

#[test]
fn an_unknown_type_is_an_error_or_passed_by() {
    assert!(matches!(read::<Shape>(&stored("Other", "{}")), Err(DecodeFailure::UnknownType)));
    assert_eq!(read::<Choosy>(&stored("Other", "{}")).unwrap(), None);
    assert_eq!(read::<Choosy>(&stored("Known", "{}")).unwrap(), Some(Choosy::Known));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Grown {
    Paid { cents: u64, currency: String },
}

impl DomainEvent for Grown {
    fn schema(event_type: &str) -> u32 {
        if matches!(event_type, "Paid" | "Payed") { 3 } else { 1 }
    }

    fn upcast(old: &mut OldEvent) -> Result<(), String> {
        match old.schema {
            1 => {
                let euros = old.data["euros"].as_u64().ok_or("euros is no number")?;
                old.data = json!({ "cents": euros * 100 });
            }
            2 => {
                old.event_type = "Paid".to_owned();
                old.data["currency"] = json!("EUR");
            }
            _ => return Err("?".to_owned()),
        }
        Ok(())
    }
}

#[test]
fn an_older_shape_is_brought_up_one_number_at_a_time() {
    let paid = || Grown::Paid { cents: 700, currency: "EUR".to_owned() };
    let with_schema = |event: Event, schema: &str| event.metadata_json(schema);
    assert_eq!(read(&stored("Payed", r#"{"euros":7}"#)).unwrap(), Some(paid()));
    assert_eq!(
        read(&with_schema(stored("Paid", r#"{"cents":700}"#), r#"{"by":"x","schema":2}"#)).unwrap(),
        Some(paid())
    );
    let today = encode(&paid()).unwrap();
    assert_eq!(today, with_schema(stored("Paid", r#"{"cents":700,"currency":"EUR"}"#), r#"{"schema":3}"#));
    assert_eq!(read(&today).unwrap(), Some(paid()));
}

#[test]
fn a_step_that_fails_and_a_number_from_the_future_are_named() {
    let failed = read::<Grown>(&stored("Paid", r#"{"euros":"x"}"#)).unwrap_err();
    assert!(matches!(&failed, DecodeFailure::Upcast { schema: 1, why } if why == "euros is no number"), "{failed}");
    let newer = read::<Grown>(&stored("Paid", "{}").metadata_json(r#"{"schema":4}"#)).unwrap_err();
    assert!(matches!(newer, DecodeFailure::NewerSchema { found: 4, known: 3 }), "{newer}");
    for metadata in ["7", r#"{"schema":"x"}"#, "{"] {
        let failed = read::<Grown>(&stored("Paid", "{}").metadata_json(metadata)).unwrap_err();
        assert!(matches!(failed, DecodeFailure::Metadata(_)), "{metadata}: {failed}");
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Alone {
    field: u8,
}

impl DomainEvent for Alone {}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    A { field: u8 },
}

impl DomainEvent for Tagged {}

#[test]
fn what_is_no_plain_enum_is_refused_both_ways() {
    assert!(matches!(encode(&Alone { field: 1 }), Err(EncodeError::NotAnEnum)));
    assert!(matches!(encode(&Tagged::A { field: 1 }), Err(EncodeError::NotAnEnum)));
    assert!(matches!(read::<Alone>(&stored("field", "1")), Err(DecodeFailure::NotAnEnum)));
    assert!(matches!(read::<Tagged>(&stored("A", "{}")), Err(DecodeFailure::NotAnEnum)));
}
