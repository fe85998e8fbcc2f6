//! A record as one line of JSON: always nine keys, always in the same order, absent values `null`.
//!
//! The line is written straight into the output. It is valid JSON whatever the record holds: a payload that is called
//! JSON and is not goes out as base64, like one that is not called so.

use super::compact::{check_json, compact};
use super::time::write_time;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gesta::{Payload, Record, Uuid};

/// Appends the event to `out`, without a line break.
pub(crate) fn write_event(out: &mut Vec<u8>, record: &Record<'_>) {
    out.extend_from_slice(b"{\"position\":");
    write_number(out, record.position().0);
    out.extend_from_slice(b",\"revision\":");
    write_or_null(out, record.revision(), |out, revision| write_number(out, revision.0));
    out.extend_from_slice(b",\"stream\":");
    write_or_null(out, record.stream(), write_string);
    out.extend_from_slice(b",\"type\":");
    write_string(out, record.event_type());
    out.extend_from_slice(b",\"id\":\"");
    write_id(out, record.id());
    out.extend_from_slice(b"\",\"time\":");
    write_or_null(out, record.time(), |out, time| {
        out.push(b'"');
        write_time(out, time);
        out.push(b'"');
    });
    out.extend_from_slice(b",\"tags\":[");
    for (ordinal, tag) in record.tags().enumerate() {
        if ordinal > 0 {
            out.push(b',');
        }
        write_string(out, tag);
    }
    out.extend_from_slice(b"],");
    write_payload(out, "metadata", record.metadata());
    out.push(b',');
    write_payload(out, "data", record.data());
    out.push(b'}');
}

/// Appends text as a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing text to memory does not fail");
}

fn write_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn write_id(out: &mut Vec<u8>, id: Uuid) {
    let mut buffer = Uuid::encode_buffer();
    out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
}

fn write_or_null<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        Some(value) => write(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends a key and a payload: `"data":...` or `"data_base64":"..."`.
fn write_payload(out: &mut Vec<u8>, key: &str, payload: Payload<'_>) {
    let bytes = payload.bytes();
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    if payload.is_empty() {
        out.extend_from_slice(b"\":null");
    } else if payload.is_json() && check_json(bytes).is_ok() {
        out.extend_from_slice(b"\":");
        compact(bytes, out);
    } else {
        out.extend_from_slice(b"_base64\":\"");
        write_base64(out, bytes);
        out.push(b'"');
    }
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(bytes, &mut out[start..]).expect("room was made for all of it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta::codec::{encode_record, place_record};
    use gesta::{Event, EventType, Position, StreamName, Tag, Timestamp};

    fn line(event: &Event, revision: u64) -> String {
        let mut bytes = Vec::new();
        encode_record(event, Uuid::from_u128(0xabc), &mut bytes);
        place_record(&mut bytes, revision, Position(7));
        let (record, _) = Record::decode(&bytes, Position(7)).expect("the record was just made");
        let mut out = Vec::new();
        write_event(&mut out, &record);
        String::from_utf8(out).expect("a line is UTF-8")
    }

    fn event() -> Event {
        Event::new(EventType::new("T").expect("a good name"))
    }

    #[test]
    fn what_is_absent_is_null() {
        assert_eq!(
            line(&event(), gesta::codec::NO_REVISION),
            r#"{"position":7,"revision":null,"stream":null,"type":"T","id":"00000000-0000-0000-0000-000000000abc","time":null,"tags":[],"metadata":null,"data":null}"#
        );
    }

    #[test]
    fn all_nine_keys_stand_in_their_order() {
        let event = event()
            .stream(StreamName::new("a \"b\"\n").expect("a good name"))
            .time(Timestamp(1_500_000_000))
            .tag(Tag::new("k:v").expect("a good tag"))
            .tag(Tag::new("k:\"").expect("a good tag"))
            .metadata_json(*b"{ \"m\": 1.0 }")
            .json(*b"[1,\n2]");
        assert_eq!(
            line(&event, 3),
            r#"{"position":7,"revision":3,"stream":"a \"b\"\n","type":"T","id":"00000000-0000-0000-0000-000000000abc","time":"1970-01-01T00:00:01.5Z","tags":["k:v","k:\""],"metadata":{"m":1.0},"data":[1,2]}"#
        );
    }

    #[test]
    fn what_is_not_json_goes_out_as_base64_even_if_it_is_called_json() {
        for (event, expected) in [
            (event().data(*b"\0\xff"), r#""metadata":null,"data_base64":"AP8="}"#),
            (event().data(*b"{}"), r#""metadata":null,"data_base64":"e30="}"#),
            (event().json(*b"{\"a\":"), r#""metadata":null,"data_base64":"eyJhIjo="}"#),
            (event().json(*b"\"\xff\""), r#""metadata":null,"data_base64":"Iv8i"}"#),
            (event().json(*b"1\n2"), r#""metadata":null,"data_base64":"MQoy"}"#),
            (event().metadata(*b"m").json(*b"null"), r#""metadata_base64":"bQ==","data":null}"#),
        ] {
            let line = line(&event, 0);
            assert!(line.ends_with(expected), "{line}");
        }
    }
}
