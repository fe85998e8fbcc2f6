//! What one append asks for.

use crate::{Durability, Event, ExpectedRevision, StreamName};

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
        self.events.extend(events);
        self
    }

    /// Adds a check of a stream's revision.
    #[must_use]
    pub fn expect(mut self, stream: StreamName, expected: ExpectedRevision) -> Self {
        self.checks.push(Check::Stream { stream, expected });
        self
    }

    /// Says what the append waits for.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }
}
