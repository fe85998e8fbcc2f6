//! What one append asks for.

use crate::{Durability, Event, ExpectedRevision, Position, Query, StreamName, Uuid};

/// A condition that is judged when the writer reaches the request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// The stream stands where the writer believes.
    Stream {
        /// The stream, which need not be one that is written.
        stream: StreamName,
        /// What is believed of it.
        expected: ExpectedRevision,
    },
    /// No event at or after a position matches a query: what was decided on is still all there is.
    NoEvents {
        /// What must not be found.
        query: Query,
        /// The first position that counts: the head as of the read that was decided on.
        after: Position,
    },
}

/// Events to append, together or not at all, and the conditions for it.
///
/// Events of several streams may be mixed; their global order is the order given. A request without events is a pure
/// check. All checks are judged at one point of the order, before the request's own events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppendRequest {
    pub(crate) events: Vec<Event>,
    pub(crate) checks: Vec<Check>,
    pub(crate) durability: Durability,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) since: Position,
    pub(crate) missed_max: u32,
}

impl AppendRequest {
    /// A request without events or checks, durable.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds events.
    #[must_use]
    pub fn events(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        if self.events.is_empty() {
            // A list that is handed over as a whole is taken as it is, without a copy.
            self.events = events.into_iter().collect();
        } else {
            self.events.extend(events);
        }
        self
    }

    /// Adds a check of a stream's revision.
    #[must_use]
    pub fn expect(mut self, stream: StreamName, expected: ExpectedRevision) -> Self {
        self.checks.push(Check::Stream { stream, expected });
        self
    }

    /// Adds the check that no event at or after a position matches a query.
    ///
    /// A caller reads the events of the query, decides, and passes the head as of that read: the append is made unless
    /// something it did not know of has happened since (a dynamic consistency boundary).
    #[must_use]
    pub fn unless(mut self, query: Query, after: Position) -> Self {
        self.checks.push(Check::NoEvents { query, after });
        self
    }

    /// Names the request, so that making it again returns the first receipt and appends nothing.
    ///
    /// A request without events leaves nothing in the log, so its checks are judged anew each time.
    #[must_use]
    pub fn request_id(mut self, id: Uuid) -> Self {
        self.request_id = Some(id);
        self
    }

    /// Says what the head was when the request was first made, so that only what came later is searched for it.
    #[must_use]
    pub fn since(mut self, head: Position) -> Self {
        self.since = head;
        self
    }

    /// Asks a conflict to bring up to `count` of the events that the caller did not know of.
    #[must_use]
    pub fn return_missed(mut self, count: u32) -> Self {
        self.missed_max = count;
        self
    }

    /// Says what the append waits for.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}
