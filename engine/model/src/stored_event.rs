//! An event as it lies in the log, taken out of there.

use crate::{Position, Record, Timestamp};
use std::fmt;

/// A record that owns its bytes, with its place and the time the store took it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// One whole record with its padding: [`Record::decode`] has taken it.
    bytes: Box<[u8]>,
    position: Position,
    recorded_at: Timestamp,
}

impl StoredEvent {
    /// A copy of a record.
    #[must_use]
    pub fn new(record: &Record<'_>, recorded_at: Timestamp) -> Self {
        let record_bytes = record.bytes();
        let padded = record_bytes.len().next_multiple_of(8);
        // As long as it will be at once: a box of it is then no second copy.
        let mut bytes = Vec::with_capacity(padded);
        bytes.extend_from_slice(record_bytes);
        bytes.resize(padded, 0);
        Self { bytes: bytes.into(), position: record.position(), recorded_at }
    }

    /// The same, taken by the store at another time than was known when the record was copied.
    #[must_use]
    pub fn recorded(mut self, at: Timestamp) -> Self {
        self.recorded_at = at;
        self
    }

    /// The event.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        match Record::decode(&self.bytes, self.position) {
            Ok((record, _)) => record,
            Err(error) => unreachable!("a copy of a record is one: {error}"),
        }
    }

    /// How many bytes the record takes, with its padding.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    /// Its place in the global order.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// When the store took it.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }
}

impl fmt::Debug for StoredEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record();
        formatter
            .debug_struct("StoredEvent")
            .field("position", &self.position)
            .field("recorded_at", &self.recorded_at)
            .field("id", &record.id())
            .field("stream", &record.stream())
            .field("type", &record.event_type())
            .field("data_bytes", &record.data().bytes().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{encode_record, place_record};
    use crate::{Event, EventType, Uuid};

    #[test]
    fn a_stored_event_is_the_record_it_was_taken_from() {
        for data in 0..9 {
            let event = Event::new(EventType::new("Counted").unwrap()).data(vec![7; data]);
            let mut bytes = Vec::new();
            encode_record(&event, Uuid::from_u128(5), &mut bytes);
            place_record(&mut bytes, 2, Position(8));
            bytes.extend([0xff; 16]);
            let (record, _) = Record::decode(&bytes, Position(8)).unwrap();
            let stored = StoredEvent::new(&record, Timestamp(9));
            assert_eq!(stored.record().bytes(), record.bytes());
            assert_eq!(stored.record().position(), Position(8));
            assert_eq!(stored.record().verify_content(), Ok(()));
            assert_eq!(stored.record().verify(), Ok(()));
            assert_eq!(stored.byte_count(), record.bytes().len().next_multiple_of(8));
            assert_eq!((stored.position(), stored.recorded_at()), (Position(8), Timestamp(9)));
        }
    }
}
