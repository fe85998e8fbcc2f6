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

    /// Gives a request that has no name one, so that it can be made again without being appended twice; `head` is what the
    /// head is known to be now.
    ///
    /// A request that the caller named stays as it is: it may have been made before, at an earlier head. So does a pure
    /// check, which is simply judged anew.
    #[must_use]
    pub fn named_for_retries(mut self, head: Position, make_id: impl FnOnce() -> Uuid) -> Self {
        if self.request_id.is_none() && !self.events.is_empty() {
            self.request_id = Some(make_id());
            if self.since == Position::START {
                self.since = head;
            }
        }
        self
    }

    /// Asks a conflict to bring up to `count` of the events that the caller did not know of: the first
    /// ones, and of those no more than some 4 MiB.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, EventType};

    #[test]
    fn only_a_request_with_events_and_without_a_name_is_named_for_retries() {
        let [made, given] = [1, 2].map(Uuid::from_u128);
        let event = || AppendRequest::new().event(Event::new(EventType::new("Counted").unwrap()));
        let named = event().named_for_retries(Position(7), || made);
        assert_eq!((named.request_id, named.since), (Some(made), Position(7)));
        let earlier = event().since(Position(3)).named_for_retries(Position(7), || made);
        assert_eq!((earlier.request_id, earlier.since), (Some(made), Position(3)));
        // The caller may have made it before, in a process that is gone: every position may hold it.
        let named_before = event().request_id(given).named_for_retries(Position(7), || made);
        assert_eq!((named_before.request_id, named_before.since), (Some(given), Position::START));
        let check = AppendRequest::new().named_for_retries(Position(7), || made);
        assert_eq!((check.request_id, check.since), (None, Position::START));
    }
}
