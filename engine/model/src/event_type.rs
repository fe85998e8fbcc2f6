//! The name of a kind of event.

use crate::limits::EVENT_TYPE_BYTES_MAX;
use crate::name::{NameError, check_length};
use std::fmt;

/// The name of a kind of event, such as `OrderPlaced`: 1 to 255 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Box<str>);

impl EventType {
    /// Takes `text` as an event type, refusing an empty or too long one.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        check_length("event type", &text, EVENT_TYPE_BYTES_MAX)?;
        Ok(Self(text))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
