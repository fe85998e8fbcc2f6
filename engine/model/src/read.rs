//! What is to be read.

use crate::{Position, Query, Record, Revision, StreamName, Timestamp};

/// Which events to read, from where, in which direction and how many.
///
/// ```
/// # use gesta_model::{Read, Revision, StreamName};
/// let newest = Read::all().backwards().limit(10);
/// let rest_of_order = Read::stream(StreamName::new("order-17")?).from_revision(Revision(4));
/// # Ok::<(), gesta_model::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Read {
    /// Which events.
    pub selection: Selection,
    /// The position to begin at, inclusive.
    pub from: Option<Position>,
    /// The revision of the stream to begin at, inclusive.
    pub from_revision: Option<Revision>,
    /// Nothing that the store took before.
    pub since: Option<Timestamp>,
    /// The first position that is not read any more; none: the head.
    pub until: Option<Position>,
    /// How many events at most.
    pub limit: u64,
    /// Whether from the newest to the oldest.
    pub is_backward: bool,
    /// Whether events are shown that are not synced yet.
    pub sees_unsynced: bool,
}

/// Which events are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    Everything,
    /// Those of one stream.
    Stream(StreamName),
    /// Those that match a query.
    Query(Query),
}

impl Selection {
    /// Whether an event is meant, by its own word.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Stream(stream) => record.stream() == Some(stream.as_str()),
            Self::Query(query) => query.matches(record),
        }
    }
}

impl Read {
    /// All events, in their global order.
    #[must_use]
    pub fn all() -> Self {
        Self {
            selection: Selection::Everything,
            from: None,
            from_revision: None,
            since: None,
            until: None,
            limit: u64::MAX,
            is_backward: false,
            sees_unsynced: false,
        }
    }

    /// The events of one stream, in their order.
    #[must_use]
    pub fn stream(stream: StreamName) -> Self {
        Self { selection: Selection::Stream(stream), ..Self::all() }
    }

    /// The events that match a query, in their global order.
    #[must_use]
    pub fn query(query: Query) -> Self {
        let selection = if query.is_everything() { Selection::Everything } else { Selection::Query(query) };
        Self { selection, ..Self::all() }
    }

    /// Begins at a position, inclusive. Forward, the start is the first event; backward, the last.
    #[must_use]
    pub fn from(mut self, position: Position) -> Self {
        self.from = Some(position);
        self
    }

    /// Begins at a revision of the stream, inclusive; without a stream it has no meaning and is not asked.
    #[must_use]
    pub fn from_revision(mut self, revision: Revision) -> Self {
        self.from_revision = Some(revision);
        self
    }

    /// Only events that the store took at this time or later.
    #[must_use]
    pub fn since(mut self, time: Timestamp) -> Self {
        self.since = Some(time);
        self
    }

    /// Only events below a position.
    #[must_use]
    pub fn until(mut self, position: Position) -> Self {
        self.until = Some(position);
        self
    }

    /// At most so many events.
    #[must_use]
    pub fn limit(mut self, count: u64) -> Self {
        self.limit = count;
        self
    }

    /// From the newest to the oldest.
    #[must_use]
    pub fn backwards(mut self) -> Self {
        self.is_backward = true;
        self
    }

    /// Shows events that are written but not yet synced as well; a power cut may still take them.
    ///
    /// For bounded reads alone: a subscription that is asked for them answers each call with
    /// [`ReadError::UnsyncedSubscription`](crate::ReadError::UnsyncedSubscription), because a checkpoint taken there
    /// could come to stand for other events.
    #[must_use]
    pub fn unsynced(mut self) -> Self {
        self.sees_unsynced = true;
        self
    }
}
