//! The shape that `export` prints. Everything but `type` may be left out or `null`; `position` and `revision` are ignored.
//!
//! A key that is not known is refused: a typing mistake must not lose data.

use super::event_reader::{Content, Incoming, LineError, Parts, Text};
use gesta::Uuid;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NativeEvent<'a> {
    #[serde(rename = "position")]
    _position: Option<IgnoredAny>,
    #[serde(rename = "revision")]
    _revision: Option<IgnoredAny>,
    #[serde(borrow)]
    stream: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    time: Option<Text<'a>>,
    #[serde(borrow)]
    tags: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata_base64: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    data_base64: Option<Text<'a>>,
}

/// Reads an event of this shape.
pub(super) fn read(line: &str) -> Result<Incoming, LineError> {
    let native: NativeEvent<'_> = serde_json::from_str(line).map_err(|error| LineError::json(&error))?;
    let parts = Parts {
        stream: native.stream,
        event_type: native.event_type,
        id: native.id.map(|Text(text)| read_id(&text)).transpose()?,
        time: native.time,
        tags: native.tags.unwrap_or_default(),
        metadata: Content::from_either("metadata", native.metadata, native.metadata_base64.as_ref())?,
        data: Content::from_either("data", native.data, native.data_base64.as_ref())?,
    };
    parts.into_incoming()
}

fn read_id(text: &str) -> Result<Uuid, LineError> {
    Uuid::try_parse(text).map_err(|_| LineError::Id { text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use crate::json::read_event;

    fn refusal(line: &str) -> String {
        read_event(line.as_bytes()).expect_err(line).to_string()
    }

    #[test]
    fn only_the_type_is_required() {
        let incoming = read_event(b"{\"type\":\"T\"}").expect("a type is enough");
        assert_eq!(incoming.id, None);
        let line = r#"{"position":1,"revision":null,"stream":null,"type":"T","id":null,"time":null,"tags":null,"metadata":null,"data":null,"data_base64":null}"#;
        let with_nulls = read_event(line.as_bytes()).expect("null is absent");
        assert_eq!(with_nulls.event, incoming.event);
        assert!(refusal("{\"data\":1}").contains("missing field `type`"));
    }

    #[test]
    fn escapes_are_understood() {
        let line = r#"{"type":"\u0054","stream":"a\nb","tags":["k:\u00e9"],"data_base64":"AA=="}"#;
        let expected = r#"{"type":"T","stream":"a\nb","tags":["k:é"],"data_base64":"\u0041A=="}"#;
        let [first, second] = [line, expected].map(|line| read_event(line.as_bytes()).expect("a good line").event);
        assert_eq!(first, second);
    }

    #[test]
    fn a_bad_line_says_what_is_wrong() {
        for (line, expected) in [
            (r#"{"type":"T","dat":1}"#, "unknown field `dat`"),
            (r#"{"type":"T","type":"U"}"#, "duplicate field `type`"),
            (r#"{"type":""}"#, "event type is empty"),
            (r#"{"type":"T","stream":""}"#, "stream name is empty"),
            (r#"{"type":"T","id":"17"}"#, "id \"17\" is not a UUID"),
            (r#"{"type":"T","id":"00000000-0000-0000-0000-000000000000"}"#, "nil UUID"),
            (r#"{"type":"T","time":"noon"}"#, "time \"noon\" is not RFC 3339"),
            (r#"{"type":"T","tags":["a"]}"#, "tag \"a\" is not key:value"),
            (r#"{"type":"T","data":1,"data_base64":"AA=="}"#, "data and data_base64 are both given"),
            (r#"{"type":"T","data_base64":"A"}"#, "data_base64 is not base64"),
            (r#"{"type":"T","data":{"a":}}"#, "column 25: expected value"),
            (r#"{"type":"T"} x"#, "column 14: trailing characters"),
            (r#"[{"type":"T"}]"#, "not one JSON object"),
            (r#"{"type":"T""#, "EOF while parsing"),
        ] {
            let refusal = refusal(line);
            assert!(refusal.contains(expected) && !refusal.contains("at line"), "{line}: {refusal}");
        }
    }

    #[test]
    fn what_the_store_would_refuse_is_refused() {
        let line = format!(r#"{{"type":"T","metadata":"{}"}}"#, "m".repeat(1 << 20));
        assert!(refusal(&line).contains("bytes of metadata"));
        let tags = vec!["\"k:v\""; 256].join(",");
        assert!(refusal(&format!(r#"{{"type":"T","tags":[{tags}]}}"#)).contains("256 tags"));
    }
}
