//! No bytes make a record's decoder panic, and a record that is accepted from elsewhere has only one form.
#![no_main]

use gesta_fuzz::{look_at, repair_record};
use gesta_model::codec::encode_record;
use gesta_model::{Event, EventType, Position, Record, StreamName, Tag};
use libfuzzer_sys::fuzz_target;

const PLACE: Position = Position(17);

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let mut bytes = bytes.to_vec();
    if repair_record(&mut bytes, PLACE).is_some() {
        read(&bytes);
    }
});

fn read(bytes: &[u8]) {
    let Ok((record, taken)) = Record::decode(bytes, PLACE) else { return };
    assert!(taken <= bytes.len() && record.bytes().len() <= taken);
    look_at(&record);
    if record.verify_content().is_ok() {
        let mut again = Vec::new();
        encode_record(&event_of(&record), record.id(), &mut again);
        // What stands before the length is the writer's: checksums and place.
        assert_eq!(again[16..record.bytes().len()], record.bytes()[16..]);
        assert_eq!(again[..4], record.bytes()[..4]);
    }
}

/// The event that a record is of, every name taken as a caller's would be.
fn event_of(record: &Record<'_>) -> Event {
    let mut event = Event::new(EventType::new(record.event_type()).expect("an accepted type"));
    if let Some(stream) = record.stream() {
        event = event.stream(StreamName::new(stream).expect("an accepted stream"));
    }
    event = record.tags().fold(event, |event, tag| event.tag(Tag::new(tag).expect("an accepted tag")));
    event = record.time().into_iter().fold(event, Event::time);
    let (metadata, data) = (record.metadata(), record.data());
    event = if metadata.is_json() { event.metadata_json(metadata.bytes()) } else { event.metadata(metadata.bytes()) };
    if data.is_json() { event.json(data.bytes()) } else { event.data(data.bytes()) }
}
