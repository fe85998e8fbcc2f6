//! The events that all rows append: 256 bytes of data, in 1,000 streams by turns.

use crate::outcome::Outcome;
use gesta::{AppendRequest, Durability, Event, EventType, Limits, Store, StreamName, Uuid};

/// Bytes of data of each event.
pub const DATA_BYTES: usize = 256;
/// Streams that are written by turns.
pub const STREAM_COUNT: usize = 1_000;

/// Makes events, one after another, each for the next stream.
#[derive(Clone, Debug)]
pub struct Events {
    streams: Vec<StreamName>,
    event_type: EventType,
    data: Vec<u8>,
    next: usize,
}

impl Events {
    /// Events from the stream with this number on, so that threads need not write the same streams at the same time.
    pub fn starting_at(ordinal: usize) -> Outcome<Self> {
        let streams = (0..STREAM_COUNT).map(|number| StreamName::new(format!("order-{number:04}")));
        Ok(Self {
            streams: streams.collect::<Result<_, _>>()?,
            event_type: EventType::new("OrderPlaced")?,
            data: (0..=u8::MAX).cycle().take(DATA_BYTES).collect(),
            next: ordinal % STREAM_COUNT,
        })
    }

    /// Fills an empty store with so many events, 100 a request.
    pub fn fill(store: &Store, event_count: u64, durability: Durability) -> Outcome<()> {
        const EVENTS_EACH: usize = 100;
        let mut events = Self::starting_at(0)?;
        for _ in 0..event_count / EVENTS_EACH as u64 {
            store.append(events.request(EVENTS_EACH, durability))?;
        }
        store.sync()?;
        assert_eq!(store.reader().head().0, event_count, "the log is as long as it should be");
        Ok(())
    }

    /// The next event.
    pub fn event(&mut self) -> Event {
        let stream = self.streams[self.next].clone();
        self.next = (self.next + 1) % STREAM_COUNT;
        self.event_in(stream)
    }

    /// A request of `count` events, each in another stream.
    pub fn request(&mut self, count: usize, durability: Durability) -> AppendRequest {
        let events: Vec<Event> = (0..count).map(|_| self.event()).collect();
        AppendRequest::new().events(events).durability(durability)
    }

    /// A request of `count` events, all in the next stream.
    pub fn request_in_one_stream(&mut self, count: usize, durability: Durability) -> AppendRequest {
        let stream = self.streams[self.next].clone();
        self.next = (self.next + 1) % STREAM_COUNT;
        let events: Vec<Event> = (0..count).map(|_| self.event_in(stream.clone())).collect();
        AppendRequest::new().events(events).durability(durability)
    }

    /// The bytes of a request of `count` events as gesta writes them: what a yard-stick writes as well.
    pub fn encoded(&mut self, count: usize) -> Outcome<Vec<u8>> {
        let request = self.request(count, Durability::Durable);
        let encoded = request.encode(&Limits::default(), || Uuid::from_u128(1))?;
        Ok(encoded.bytes().to_vec())
    }

    fn event_in(&self, stream: StreamName) -> Event {
        Event::new(self.event_type.clone()).stream(stream).data(self.data.as_slice())
    }
}
