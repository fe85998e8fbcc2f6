//! One line of JSON as an event to append.
//!
//! A line is refused for what the store would refuse, so that one bad line never fails the request it would share with
//! good ones.

use super::{cloud_event, native_event};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gesta::codec::RECORD_HEADER_BYTES;
use gesta::limits::TAG_COUNT_MAX;
use gesta::{Event, EventType, Limits, NameError, StreamName, Tag, Timestamp, Uuid};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use thiserror::Error;

/// An event that is to be appended.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The event.
    pub(crate) event: Event,
    /// Its id; without one the store makes one.
    pub(crate) id: Option<Uuid>,
    /// About the bytes that its record will take.
    pub(crate) record_bytes: usize,
}

/// Why a line is not an event.
#[derive(Debug, Error)]
pub(crate) enum LineError {
    #[error("not UTF-8: an event is one line of JSON text")]
    NotUtf8,
    #[error("not one JSON object: give one event a line (jq -c '.[]' takes a list apart)")]
    NotAnObject,
    #[error("column {column}: {what}")]
    Json { column: usize, what: String },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("id {text:?} is not a UUID: leave it out to have one made")]
    Id { text: String },
    #[error("the nil UUID is not an id: leave it out to have one made")]
    NilId,
    #[error("time {text:?} is not RFC 3339 between the years 1677 and 2262, such as 2026-01-31T12:00:00Z")]
    Time { text: String },
    #[error("{key}_base64 is not base64: {what}")]
    Base64 { key: &'static str, what: String },
    #[error("{key} and {key}_base64 are both given: leave one out")]
    TwoPayloads { key: &'static str },
    #[error("{bytes} bytes of {key}, at most {max} are allowed: store a reference to large content")]
    TooLong { key: &'static str, bytes: usize, max: usize },
    #[error("{count} tags, at most {TAG_COUNT_MAX} are allowed: tag only what is queried across streams")]
    TooManyTags { count: usize },
    #[error("specversion {text} is not one that is understood: 1.0 is")]
    CloudEventVersion { text: String },
    #[error("the CloudEvent has no {attribute:?}: it is required")]
    CloudEventIncomplete { attribute: &'static str },
    #[error("the CloudEvent has {attribute:?} twice: leave one out")]
    CloudEventTwice { attribute: String },
}

impl LineError {
    /// What the parser says, with the column alone: the line is known to the caller.
    pub(super) fn json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        Self::Json { column: error.column(), what }
    }
}

/// Reads a line of either shape.
pub(crate) fn read_event(line: &[u8]) -> Result<Incoming, LineError> {
    let line = str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
    if !line.trim_ascii_start().starts_with('{') {
        return Err(LineError::NotAnObject);
    }
    if cloud_event::is_cloud_event(line) { cloud_event::read(line) } else { native_event::read(line) }
}

/// The parts of an event, as either shape gives them.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) stream: Option<Text<'a>>,
    pub(super) event_type: Cow<'a, str>,
    pub(super) id: Option<Uuid>,
    pub(super) time: Option<Text<'a>>,
    pub(super) tags: Vec<Text<'a>>,
    pub(super) metadata: Option<Content>,
    pub(super) data: Option<Content>,
}

/// Text that is borrowed from the line when it holds no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// The content of a payload.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) is_json: bool,
}

impl Content {
    /// The content that is given as JSON or as base64.
    pub(super) fn from_either(
        key: &'static str,
        json: Option<&RawValue>,
        base64: Option<&Text<'_>>,
    ) -> Result<Option<Self>, LineError> {
        match (json, base64) {
            (Some(_), Some(_)) => Err(LineError::TwoPayloads { key }),
            (Some(json), None) => {
                let mut bytes = Vec::with_capacity(json.get().len());
                super::compact(json.get().as_bytes(), &mut bytes);
                Ok(Some(Self { bytes, is_json: true }))
            }
            (None, Some(Text(text))) => {
                let decoded = STANDARD.decode(text.as_bytes());
                let bytes = decoded.map_err(|error| LineError::Base64 { key, what: error.to_string() })?;
                Ok(Some(Self { bytes, is_json: false }))
            }
            (None, None) => Ok(None),
        }
    }

    fn length(content: Option<&Self>) -> usize {
        content.map_or(0, |content| content.bytes.len())
    }
}

impl Parts<'_> {
    /// Makes the event, asking of each part what the store would ask.
    pub(super) fn into_incoming(self) -> Result<Incoming, LineError> {
        let limits = Limits::default().within_format();
        let (data_bytes, metadata_bytes) =
            (Content::length(self.data.as_ref()), Content::length(self.metadata.as_ref()));
        check_length("data", data_bytes, limits.data_bytes_max)?;
        check_length("metadata", metadata_bytes, limits.metadata_bytes_max)?;
        if self.tags.len() > TAG_COUNT_MAX {
            return Err(LineError::TooManyTags { count: self.tags.len() });
        }
        let mut record_bytes = RECORD_HEADER_BYTES + self.event_type.len() + data_bytes + metadata_bytes;
        let mut event = Event::new(EventType::new(self.event_type)?);
        if let Some(Text(stream)) = self.stream {
            record_bytes += stream.len();
            event = event.stream(StreamName::new(stream)?);
        }
        if let Some(id) = self.id {
            if id.is_nil() {
                return Err(LineError::NilId);
            }
            event = event.id(id);
        }
        if let Some(Text(text)) = self.time {
            event = event.time(read_time(&text)?);
        }
        for Text(tag) in self.tags {
            record_bytes += tag.len() + 1;
            event = event.tag(Tag::new(tag)?);
        }
        event = match self.metadata {
            Some(Content { bytes, is_json: true }) => event.metadata_json(bytes),
            Some(Content { bytes, is_json: false }) => event.metadata(bytes),
            None => event,
        };
        event = match self.data {
            Some(Content { bytes, is_json: true }) => event.json(bytes),
            Some(Content { bytes, is_json: false }) => event.data(bytes),
            None => event,
        };
        Ok(Incoming { event, id: self.id, record_bytes })
    }
}

fn check_length(key: &'static str, bytes: usize, max: usize) -> Result<(), LineError> {
    if bytes > max { Err(LineError::TooLong { key, bytes, max }) } else { Ok(()) }
}

fn read_time(text: &str) -> Result<Timestamp, LineError> {
    super::parse_time(text).ok_or_else(|| LineError::Time { text: text.to_owned() })
}
