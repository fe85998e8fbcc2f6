//! The names that events have, with how many events each has.

use crate::{Position, Revision};

/// What names are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameKind {
    /// Names of streams.
    Stream,
    /// The parts of stream names before their first `-`.
    Category,
    /// Names of kinds of events.
    Type,
    /// Tags.
    Tag,
}

/// A name that events have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameCount {
    /// The name.
    pub name: String,
    /// How many events have it.
    pub count: u64,
    /// The position of the last of them.
    pub last: Position,
    /// Of a stream: the revision of its last event.
    pub last_revision: Option<Revision>,
}
