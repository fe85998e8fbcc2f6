//! What an event says of itself beside its content.

use gesta_model::{NameError, StreamName, Tag, Timestamp};
use std::fmt::Display;

/// Stream, tags and time of an event. A name that cannot be is remembered, and refused when the event is encoded.
#[derive(Debug, Default)]
pub struct Labels {
    pub(super) stream: Option<StreamName>,
    pub(super) tags: Vec<Tag>,
    pub(super) time: Option<Timestamp>,
    pub(super) error: Option<NameError>,
}

impl Labels {
    /// The event belongs to the stream `category-id`.
    pub fn stream(&mut self, category: &str, id: impl Display) -> &mut Self {
        match StreamName::new(format!("{category}-{id}")) {
            Ok(stream) => self.stream = Some(stream),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// The event has the tag `key:value`.
    pub fn tag(&mut self, key: &str, value: impl Display) -> &mut Self {
        match Tag::new(format!("{key}:{value}")) {
            Ok(tag) => self.tags.push(tag),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// The event happened at this time.
    pub fn time(&mut self, time: Timestamp) -> &mut Self {
        self.time = Some(time);
        self
    }

    fn refuse(&mut self, error: NameError) {
        self.error.get_or_insert(error);
    }
}
