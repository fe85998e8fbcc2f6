//! What the tests share: a small store with threads of its own, on a simulated disk, in a world without chance.

use gesta::disk::SimulatedDisk;
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{
    AppendRequest, Cursor, Event, EventType, Limits, Options, Position, Read, Store, StreamName, Tag, Timestamp, Upkeep,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) type SimulatedStore = Store<SimulatedDisk>;

/// Counts, wherever chance or time is asked for. It is no part of the schedule: nobody changes turn here.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicU64>);

impl Clock for Counted {
    fn now(&self) -> Timestamp {
        Timestamp(1_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed).cast_signed())
    }
}

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            piece.copy_from_slice(&number.to_le_bytes()[..piece.len()]);
        }
    }
}

/// Segments that hold a few events, and threads.
pub(crate) fn options() -> Options {
    let counted = Counted::default();
    Options {
        limits: Limits {
            data_bytes_max: 1024,
            metadata_bytes_max: 512,
            request_events_max: 8,
            request_bytes_max: 1536,
        },
        first_segment_bytes: 8192,
        segment_bytes_max: 8192,
        unsynced_bytes_max: 4096,
        staging_bytes_max: 2048,
        buffer_bytes: 512,
        upkeep: Upkeep::Threads,
        environment: Environment::new(counted.clone(), counted),
        ..Options::default()
    }
}

pub(crate) fn open(disk: &SimulatedDisk) -> Arc<SimulatedStore> {
    Arc::new(Store::open_on(disk.clone(), options()).unwrap())
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// An event whose data is its name, padded so that a segment holds three or four of them when it is `large`.
pub(crate) fn event(name: &str, text: &str, is_large: bool) -> Event {
    let data = if is_large { format!("{text:<900}") } else { text.to_owned() };
    Event::new(EventType::new("Happened").unwrap()).stream(stream(name)).data(data)
}

pub(crate) fn request(name: &str, text: &str) -> AppendRequest {
    AppendRequest::new().event(event(name, text, false))
}

/// A request whose event fills a good part of a segment.
pub(crate) fn large_request(name: &str, text: &str) -> AppendRequest {
    AppendRequest::new().event(event(name, text, true).tag(Tag::new("large:1").unwrap()))
}

/// Where each event that a cursor gives stands, and its text.
pub(crate) fn told(mut cursor: Cursor<SimulatedDisk>) -> Vec<(Position, String)> {
    let mut told = Vec::new();
    while let Some(record) = cursor.next_record() {
        let record = record.unwrap();
        told.push((record.position(), text_of(record.data().bytes())));
    }
    told
}

pub(crate) fn all(store: &SimulatedStore) -> Vec<(Position, String)> {
    told(store.read(Read::all()))
}

pub(crate) fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
