//! The name of a stream.

use crate::Category;
use crate::limits::STREAM_NAME_BYTES_MAX;
use crate::name::{NameError, check_length};
use std::fmt;

/// The name of a stream: 1 to 1,024 bytes of UTF-8, otherwise opaque. It never becomes part of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Box<str>);

impl StreamName {
    /// Takes `text` as a stream name, refusing an empty or too long one.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        check_length("stream name", &text, STREAM_NAME_BYTES_MAX)?;
        Ok(Self(text))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first `-`; `None` for a name that begins with one.
    #[must_use]
    pub fn category(&self) -> Option<&str> {
        Category::of(&self.0)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
