//! What is to be read.

use crate::index::{Keyring, Plan};
use gesta_model::{Position, Query, Record, Revision, StreamName, Timestamp};

/// Which events to read, from where, in which direction and how many.
///
/// ```
/// # use gesta::{Read, Revision, StreamName};
/// let newest = Read::all().backwards().limit(10);
/// let rest_of_order = Read::stream(StreamName::new("order-17")?).from_revision(Revision(4));
/// # Ok::<(), gesta::NameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Read {
    pub(super) selection: Selection,
    pub(super) from: Option<Position>,
    pub(super) from_revision: Option<Revision>,
    pub(super) since: Option<Timestamp>,
    pub(super) limit: u64,
    pub(super) is_backward: bool,
    pub(super) sees_unsynced: bool,
}

/// Which events are meant.
#[derive(Clone, Debug)]
pub(super) enum Selection {
    Everything,
    Stream(StreamName),
    Query(Query),
}

impl Selection {
    /// What to look for in the index.
    pub(super) fn plan(&self, keyring: &Keyring) -> Plan {
        match self {
            Self::Everything => Plan::of(&Query::everything(), keyring),
            Self::Stream(stream) => Plan::of_stream(stream, keyring),
            Self::Query(query) => Plan::of(query, keyring),
        }
    }

    /// Whether an event is meant, by its own word.
    pub(super) fn matches(&self, record: &Record<'_>) -> bool {
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

    /// Whether unsynced events are asked for.
    pub(crate) fn sees_unsynced(&self) -> bool {
        self.sees_unsynced
    }
}
