//! CloudEvents 1.0 in their JSON form.
//!
//! `subject` becomes the stream, `type`, `time`, `data` and `data_base64` stay what they are, and every other attribute,
//! extensions included, goes into the metadata, in its order. An attribute that is `null` is absent.
//!
//! A CloudEvent is one by its source and id. The event's own id is the UUIDv5 of both, with a line feed between them, in
//! the namespace [`NAMESPACE`].

use super::event_reader::{Content, Incoming, LineError, Parts, Text};
use super::write_string;
use gesta::Uuid;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The namespace of ids: the UUIDv5 of `gesta:cloud-event` in the namespace of URLs.
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x50ff_f7a2_ab76_57f1_885d_4539_46eb_28dd);

/// Whether a line that holds an object holds a CloudEvent: it has a `specversion`.
pub(super) fn is_cloud_event(line: &str) -> bool {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow)]
        specversion: Option<&'a RawValue>,
    }
    memchr::memmem::find(line.as_bytes(), b"\"specversion\"").is_some()
        && serde_json::from_str::<Probe<'_>>(line).is_ok_and(|probe| probe.specversion.is_some())
}

/// Reads a CloudEvent.
pub(super) fn read(line: &str) -> Result<Incoming, LineError> {
    let Attributes(attributes) = serde_json::from_str(line).map_err(|error| LineError::json(&error))?;
    check_attributes(&attributes)?;
    let attribute = |name: &str| attributes.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let version = attribute("specversion").map_or("null", RawValue::get);
    if version != "\"1.0\"" {
        return Err(LineError::CloudEventVersion { text: version.to_owned() });
    }
    let text = |name: &'static str| attribute(name).map(|value| read_text(name, value)).transpose();
    let required = |name: &'static str| text(name)?.ok_or(LineError::CloudEventIncomplete { attribute: name });
    let (Text(source), Text(id)) = (required("source")?, required("id")?);
    let parts = Parts {
        stream: text("subject")?,
        event_type: required("type")?.0,
        id: Some(Uuid::new_v5(&NAMESPACE, format!("{source}\n{id}").as_bytes())),
        time: text("time")?,
        tags: Vec::new(),
        metadata: Some(Content { bytes: metadata(&attributes), is_json: true }),
        data: Content::from_either("data", attribute("data"), text("data_base64")?.as_ref())?,
    };
    parts.into_incoming()
}

fn check_attributes(attributes: &[(Cow<'_, str>, &RawValue)]) -> Result<(), LineError> {
    let mut names = HashSet::new();
    match attributes.iter().find(|(name, _)| !names.insert(name.as_ref())) {
        Some((name, _)) => Err(LineError::CloudEventTwice { attribute: name.clone().into_owned() }),
        None => Ok(()),
    }
}

fn read_text<'a>(name: &str, value: &'a RawValue) -> Result<Text<'a>, LineError> {
    let not_text = |_| LineError::Json { column: 1, what: format!("{name:?} is {value}, not a string") };
    serde_json::from_str(value.get()).map_err(not_text)
}

/// The attributes that have no place of their own, as an object.
fn metadata(attributes: &[(Cow<'_, str>, &RawValue)]) -> Vec<u8> {
    const PLACED: [&str; 5] = ["subject", "type", "time", "data", "data_base64"];
    let mut out = vec![b'{'];
    for (name, value) in attributes.iter().filter(|(name, _)| !PLACED.contains(&name.as_ref())) {
        if out.len() > 1 {
            out.push(b',');
        }
        write_string(&mut out, name);
        out.push(b':');
        super::compact(value.get().as_bytes(), &mut out);
    }
    out.push(b'}');
    out
}

/// The attributes that are not `null`, in their order.
struct Attributes<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Attributes<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the attributes of a CloudEvent")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut attributes = Vec::new();
        while let Some((Text(name), value)) = map.next_entry::<Text<'de>, Option<&'de RawValue>>()? {
            attributes.extend(value.map(|value| (name, value)));
        }
        Ok(Attributes(attributes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read_event;
    use gesta::{Event, EventType, StreamName, Timestamp};

    const LINE: &str = r#"{"specversion":"1.0","id":"A-1","source":"/shop","type":"OrderPlaced","subject":"order-7","time":"1970-01-01T00:00:01Z","datacontenttype":"application/json","traceparent": "00-a", "nothing":null,"data":{ "a" : 1.0 }}"#;

    #[test]
    fn the_namespace_is_derived_as_documented() {
        assert_eq!(
            NAMESPACE,
            Uuid::new_v5(&Uuid::NAMESPACE_URL, b"gesta:cloud-event"),
            "{}",
            Uuid::new_v5(&Uuid::NAMESPACE_URL, b"gesta:cloud-event")
        );
    }

    #[test]
    fn attributes_find_their_places() {
        let incoming = read_event(LINE.as_bytes()).expect("a good line");
        let id = Uuid::new_v5(&NAMESPACE, b"/shop\nA-1");
        let expected = Event::new(EventType::new("OrderPlaced").expect("a good name"))
            .stream(StreamName::new("order-7").expect("a good name"))
            .id(id)
            .time(Timestamp(1_000_000_000))
            .metadata_json(*br#"{"specversion":"1.0","id":"A-1","source":"/shop","datacontenttype":"application/json","traceparent":"00-a"}"#)
            .json(*br#"{"a":1.0}"#);
        assert_eq!(incoming.event, expected);
        assert_eq!(incoming.id, Some(id));
    }

    #[test]
    fn a_bad_cloud_event_says_what_is_wrong() {
        for (from, to, expected) in [
            ("\"1.0\"", "\"0.3\"", "specversion \"0.3\" is not one"),
            ("\"id\":\"A-1\",", "", "no \"id\""),
            ("\"source\":\"/shop\"", "\"source\":null", "no \"source\""),
            ("\"OrderPlaced\"", "17", "\"type\" is 17, not a string"),
            ("\"nothing\":null", "\"id\":\"B\"", "\"id\" twice"),
            ("\"nothing\":null", "\"data_base64\":\"AA==\"", "both given"),
            ("order-7", "", "stream name is empty"),
        ] {
            let refusal = read_event(LINE.replace(from, to).as_bytes()).expect_err(expected).to_string();
            assert!(refusal.contains(expected), "{refusal}");
        }
    }

    #[test]
    fn a_payload_that_speaks_of_cloud_events_is_not_one() {
        let line = r#"{"type":"T","data":{"specversion":"1.0"}}"#;
        assert!(!is_cloud_event(line));
        assert!(read_event(line.as_bytes()).is_ok());
    }
}
