//! What is appended: events that can be told from all others by their streams, and from each other by a tag.

use gesta::{AppendRequest, Durability, Event, EventType, Query, StreamName, Tag, Uuid};

/// Streams of a run that are written by turns.
const STREAM_COUNT: usize = 1_000;
/// Of so many events, one is found by the query.
const TAG_COUNT: usize = 10;

/// Makes the events of one run.
#[derive(Clone, Debug)]
pub(super) struct EventMaker {
    prefix: String,
    data: Vec<u8>,
    next: usize,
}

impl EventMaker {
    /// Events with so many bytes of data, JSON where that is possible.
    pub(super) fn new(run: Uuid, data_bytes: usize) -> Self {
        let data = match data_bytes {
            0 => Vec::new(),
            1 => vec![b'1'],
            count => [b"\"", vec![b'x'; count - 2].as_slice(), b"\""].concat(),
        };
        Self { prefix: format!("bench-{}-", run.simple()), data, next: 0 }
    }

    /// The same for another caller, that begins elsewhere.
    pub(super) fn starting_at(&self, ordinal: usize) -> Self {
        Self { next: ordinal * 7, ..self.clone() }
    }

    /// What the streams of this run begin with, and no others.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A durable request of so many events, each in another stream.
    pub(super) fn request(&mut self, count: usize) -> AppendRequest {
        let events: Vec<Event> = (0..count).map(|_| self.event()).collect();
        AppendRequest::new().events(events).durability(Durability::Durable)
    }

    fn event(&mut self) -> Event {
        const SHORT: &str = "these names are short and not empty";
        let number = self.next;
        self.next += 1;
        Event::new(EventType::new("Bench").expect(SHORT))
            .stream(StreamName::new(format!("{}{}", self.prefix, number % STREAM_COUNT)).expect(SHORT))
            .tag(Tag::new(format!("tenth:{}", number % TAG_COUNT)).expect(SHORT))
            .json(self.data.as_slice())
    }
}

/// What the query of a load asks for.
pub(super) const TAG: &str = "tenth:3";

/// A query for one in ten of the events.
pub(super) fn query() -> Query {
    format!("type=Bench tag={TAG}").parse().expect("the query is well formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_json_of_the_length_that_was_asked_for() {
        for count in [1, 2, 3, 256] {
            let maker = EventMaker::new(Uuid::from_u128(7), count);
            assert_eq!(maker.data.len(), count);
            assert!(serde_json::from_slice::<serde_json::Value>(&maker.data).is_ok(), "{count}");
        }
    }
}
