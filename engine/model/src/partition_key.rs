//! What keeps events together when they are shared out.

use crate::Record;
use std::fmt;

/// What keeps events together when a replay is shared out among several readers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartitionKey {
    /// The stream.
    Stream,
    /// The value of the tag with this key, such as `student` for `student:7`. Of several tags of an event with the key,
    /// the first one decides.
    Tag(String),
}

impl PartitionKey {
    /// What an event is kept together by, the name of its stream or its whole tag; `None` when it has nothing of the kind.
    #[must_use]
    pub fn of<'r>(&self, record: &Record<'r>) -> Option<&'r str> {
        match self {
            Self::Stream => record.stream(),
            Self::Tag(key) => {
                let has_key = |tag: &&str| tag.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with(':'));
                record.tags().find(has_key)
            }
        }
    }
}

impl fmt::Display for PartitionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream => formatter.write_str("stream"),
            Self::Tag(key) => write!(formatter, "tag {key}"),
        }
    }
}
