//! An event to be appended.

use crate::codec::RECORD_HEADER_BYTES;
use crate::{EventType, StreamName, Tag, Timestamp, Uuid};

/// An immutable fact that is about to be recorded.
///
/// Without a stream it has a place in the global order only. Without an id it gets one (UUIDv7) when its request is
/// encoded. `time` says when it happened, by its producer; absent, it stays absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub(crate) stream: Option<StreamName>,
    pub(crate) event_type: EventType,
    pub(crate) id: Option<Uuid>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) metadata: OwnedPayload,
    pub(crate) data: OwnedPayload,
}

/// A payload that owns its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnedPayload {
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_json: bool,
}

impl Event {
    /// An event of a type, with nothing else.
    #[must_use]
    pub fn new(event_type: EventType) -> Self {
        Self {
            stream: None,
            event_type,
            id: None,
            time: None,
            tags: Vec::new(),
            metadata: OwnedPayload::default(),
            data: OwnedPayload::default(),
        }
    }

    /// Its type.
    #[must_use]
    pub fn event_type(&self) -> &EventType {
        &self.event_type
    }

    /// The stream that it goes to.
    #[must_use]
    pub fn stream_name(&self) -> Option<&StreamName> {
        self.stream.as_ref()
    }

    /// Puts the event into a stream.
    #[must_use]
    pub fn stream(mut self, stream: StreamName) -> Self {
        self.stream = Some(stream);
        self
    }

    /// Gives the event an id of the caller's choice.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// Says when the event happened.
    #[must_use]
    pub fn time(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        self.tags.push(tag);
        self
    }

    /// Sets the data to bytes of any kind.
    #[must_use]
    pub fn data(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.data = OwnedPayload { bytes: bytes.into(), is_json: false };
        self
    }

    /// Sets the data to JSON text; that it is well formed is the caller's word.
    #[must_use]
    pub fn json(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.data = OwnedPayload { bytes: text.into(), is_json: true };
        self
    }

    /// Sets the metadata to bytes of any kind.
    #[must_use]
    pub fn metadata(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.metadata = OwnedPayload { bytes: bytes.into(), is_json: false };
        self
    }

    /// Sets the metadata to JSON text; that it is well formed is the caller's word.
    #[must_use]
    pub fn metadata_json(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.metadata = OwnedPayload { bytes: text.into(), is_json: true };
        self
    }

    /// Bytes of the event's record, without padding.
    pub(crate) fn record_bytes(&self) -> usize {
        let stream = self.stream.as_ref().map_or(0, |stream| stream.as_str().len());
        let separators = self.tags.len().saturating_sub(1);
        let tags = self.tags.iter().map(|tag| tag.as_str().len()).sum::<usize>() + separators;
        RECORD_HEADER_BYTES
            + stream
            + self.event_type.as_str().len()
            + tags
            + self.metadata.bytes.len()
            + self.data.bytes.len()
    }
}
