//! The events. What is in them follows from stream and revision, so that what comes back can be judged.

/// Streams that are written by turns.
pub const STREAM_COUNT: u64 = 1_000;
/// The types of events.
pub const TYPES: [&str; 4] = ["Opened", "Deposited", "Withdrawn", "Closed"];

/// Events of one stream that are appended together.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Their stream.
    pub stream: String,
    /// How many events the stream has before them.
    pub first_revision: u64,
    /// The events, of which there is at least one.
    pub events: Vec<Event>,
}

/// One event before it is appended.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its type.
    pub event_type: &'static str,
    /// Unique among all events.
    pub id: u128,
    /// What happened.
    pub data: Vec<u8>,
}

/// An event as a store shows it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its stream; empty when the store does not keep it.
    pub stream: &'a str,
    /// Its type; empty when the store does not keep it.
    pub event_type: &'a str,
    /// What happened.
    pub data: &'a [u8],
}

impl Batch {
    /// The events of a stream from a revision on, each with so many bytes of data.
    #[must_use]
    pub fn new(stream: u64, first_revision: u64, count: u64, data_bytes: usize) -> Self {
        let events = (first_revision..first_revision + count).map(|revision| Event::new(stream, revision, data_bytes));
        Self { stream: stream_name(stream), first_revision, events: events.collect() }
    }
}

impl Event {
    fn new(stream: u64, revision: u64, data_bytes: usize) -> Self {
        let mut data = Vec::with_capacity(data_bytes);
        data.extend_from_slice(&stream.to_le_bytes());
        data.extend_from_slice(&revision.to_le_bytes());
        // Bytes that no store can pack: what follows is about writing and reading, not about compressing.
        let mut state = stream.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ revision;
        while data.len() < data_bytes {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            data.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
        }
        data.truncate(data_bytes);
        Self { event_type: event_type(revision), id: u128::from(stream) << 64 | u128::from(revision), data }
    }
}

impl Seen<'_> {
    /// The stream's number and the revision, if this is the event that was appended there.
    #[must_use]
    pub fn judged(&self) -> Option<(u64, u64)> {
        let number = |at: usize| self.data.get(at..at + 8)?.first_chunk().copied().map(u64::from_le_bytes);
        let (stream, revision) = (number(0)?, number(8)?);
        let event = Event::new(stream, revision, self.data.len());
        let is_it = event.data == self.data
            && (self.stream.is_empty() || self.stream == stream_name(stream))
            && (self.event_type.is_empty() || self.event_type == event.event_type);
        is_it.then_some((stream, revision))
    }
}

/// The name of a stream.
#[must_use]
pub fn stream_name(number: u64) -> String {
    format!("account-{number:06}")
}

fn event_type(revision: u64) -> &'static str {
    TYPES[usize::try_from(revision % TYPES.len() as u64).expect("below the number of types")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_known_by_its_bytes_and_a_changed_one_is_not() {
        let batch = Batch::new(7, 3, 2, 256);
        let seen = |event: &'static str, data| Seen { stream: "account-000007", event_type: event, data };
        let event = &batch.events[1];
        assert_eq!(seen(event.event_type, &event.data).judged(), Some((7, 4)));
        assert_eq!(seen("Other", &event.data).judged(), None);
        let mut changed = event.data.clone();
        changed[200] ^= 1;
        assert_eq!(seen(event.event_type, changed.leak()).judged(), None);
        assert_ne!(batch.events[0].data[16..], event.data[16..]);
    }
}
