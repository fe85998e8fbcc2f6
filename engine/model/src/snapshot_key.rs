//! The name of a snapshot.

use crate::limits::SNAPSHOT_KEY_BYTES_MAX;
use crate::name::{NameError, check_length};
use std::fmt;

/// What a snapshot is of: 1 to 1,024 bytes of UTF-8, otherwise opaque. It never becomes part of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotKey(Box<str>);

impl SnapshotKey {
    /// Takes `text` as a key, refusing an empty or too long one.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        check_length("snapshot key", &text, SNAPSHOT_KEY_BYTES_MAX)?;
        Ok(Self(text))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
