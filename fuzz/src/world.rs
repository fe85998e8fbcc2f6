//! Stores on a simulated disk whose secret is known: what a target damages, and what it must find there.

use crate::KEY;
use gesta::codec::{BatchHeader, HEADER_PAGE_BYTES, HEADERS_BYTES};
use gesta::disk::SimulatedDisk;
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{
    AppendRequest, Durability, Event, EventType, Limits, Options, Position, Read, ReadError, Reader, Store, StreamName,
    Tag, Timestamp, Upkeep, Uuid,
};
use std::ops::Range;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_000)
    }
}

/// All that is random is the secret.
struct OneByte;

impl Entropy for OneByte {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(KEY.0[0]);
    }
}

/// Short segments and no threads: everything happens in the calls, the same way each time.
pub fn options() -> Options {
    Options {
        limits: Limits {
            data_bytes_max: 2048,
            metadata_bytes_max: 512,
            request_events_max: 32,
            request_bytes_max: 3072,
        },
        first_segment_bytes: 8192,
        segment_bytes_max: 8192,
        unsynced_bytes_max: 4096,
        staging_bytes_max: 2048,
        buffer_bytes: 512,
        snapshot_bytes_max: 16 << 10,
        upkeep: Upkeep::Inline,
        environment: Environment::new(Still, OneByte),
        ..Options::default()
    }
}

/// An event that its number tells from all others; few names, so that queries find several.
pub fn event(number: u64) -> Event {
    let choose = |names: [&'static str; 3], by: u64| names[usize::try_from(number / by % 3).expect("below three")];
    Event::new(EventType::new(choose(["Placed", "Paid", "Closed"], 3)).expect("a good type"))
        .stream(StreamName::new(choose(["order-1", "order-2", "user-1"], 1)).expect("a good name"))
        .tag(Tag::new(choose(["a:1", "a:2", "b:1"], 9)).expect("a good tag"))
        .id(Uuid::from_u128(u128::from(number) + 1))
        .data(data(number))
}

fn data(number: u64) -> String {
    format!("{number} {}", "x".repeat(usize::try_from(number * 37 % 300).expect("below 300")))
}

/// Appends batches of two events, from event `numbers.start` on.
pub fn append(store: &Store<SimulatedDisk>, numbers: Range<u64>) {
    for number in numbers.step_by(2) {
        let request = AppendRequest::new().events([event(number), event(number + 1)]);
        store.append(request.durability(Durability::Durable)).expect("a good disk takes events");
    }
}

/// Reads every event, over damage. Every one must be the one that was appended there; returns those found, and how many
/// positions are said to be lost.
pub fn read_over_damage(reader: &Reader<SimulatedDisk>, expected_count: u64) -> (Vec<u64>, u64) {
    let (mut found, mut lost) = (Vec::new(), 0);
    let mut cursor = reader.read(Read::all());
    while let Some(record) = cursor.next_record() {
        match record {
            Ok(record) => {
                let number = record.position().0;
                if number < expected_count {
                    assert_eq!(record.data().bytes(), data(number).as_bytes(), "a wrong event at {number}");
                    assert_eq!(record.id(), Uuid::from_u128(u128::from(number) + 1));
                }
                found.push(number);
            }
            Err(ReadError::Damaged(damage)) => lost += damage.positions.end.since(damage.positions.start),
            Err(error) => panic!("{error}"),
        }
    }
    (found, lost)
}

/// A batch with events in it, where it stands.
#[derive(Clone, Debug)]
pub struct Stands {
    /// The file.
    pub name: String,
    /// Its bytes in the file.
    pub bytes: Range<usize>,
    /// Its events.
    pub positions: Range<Position>,
}

/// All batches with events in them.
pub fn batches(disk: &SimulatedDisk) -> Vec<Stands> {
    let mut found = Vec::new();
    for name in files(disk, ".log") {
        let image = disk.image(&name);
        for offset in (HEADER_PAGE_BYTES..image.len()).step_by(8) {
            if let Some(headers) = image[offset..].first_chunk::<HEADERS_BYTES>()
                && let Ok((header, _)) = BatchHeader::decode(headers, &KEY)
                && header.count > 0
            {
                let bytes = offset..offset + header.bytes();
                found.push(Stands { name: name.clone(), bytes, positions: header.positions() });
            }
        }
    }
    found
}

/// The names of the files that end so, in order.
pub fn files(disk: &SimulatedDisk, end: &str) -> Vec<String> {
    let mut names = disk.file_names();
    names.retain(|name| name.ends_with(end));
    names.sort();
    names
}
