//! What the tests share.

use gesta::disk::{Disk, SimulatedDisk};
use gesta::{
    AppendRequest, Cursor, Durability, Event, EventType, FailedCheck, Limits, Notice, Options, ReadError, Record,
    Revision, Store, StreamName, Subscription, Upkeep,
};
use std::time::Duration;

/// Small segments and limits, no threads: everything happens in the calls, and rolls happen all the time.
pub(crate) fn small_options() -> Options {
    Options {
        limits: Limits {
            data_bytes_max: 2048,
            metadata_bytes_max: 512,
            request_events_max: 32,
            request_bytes_max: 3072,
        },
        first_segment_bytes: 8192,
        segment_bytes_max: 16384,
        unsynced_bytes_max: 4096,
        staging_bytes_max: 2048,
        buffer_bytes: 512,
        upkeep: Upkeep::Inline,
        ..Options::default()
    }
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::new(name).unwrap()
}

/// An event whose data is its name.
pub(crate) fn event(stream_name: &str, data: &str) -> Event {
    Event::new(EventType::new("Happened").unwrap()).stream(stream(stream_name)).data(data)
}

pub(crate) fn request(stream_name: &str, data: &[&str], durability: Durability) -> AppendRequest {
    AppendRequest::new().events(data.iter().map(|data| event(stream_name, data))).durability(durability)
}

pub(crate) fn open(disk: &SimulatedDisk) -> Store<SimulatedDisk> {
    Store::open_on(disk.clone(), small_options()).unwrap()
}

/// The data of everything a cursor gives, as text.
pub(crate) fn texts<D: Disk>(mut cursor: Cursor<D>) -> Result<Vec<String>, ReadError> {
    let mut texts = Vec::new();
    while let Some(record) = cursor.next_record() {
        texts.push(String::from_utf8_lossy(record?.data().bytes()).into_owned());
    }
    Ok(texts)
}

/// The next event that a subscription hands out, whatever else it says, as `look` sees it.
pub(crate) fn next_event<D: Disk, T>(subscription: &mut Subscription<D>, look: impl FnOnce(Record<'_>) -> T) -> T {
    loop {
        match subscription.next(Duration::from_secs(20)).unwrap() {
            Notice::Event(event) => return look(event),
            Notice::TimedOut(position) => panic!("no event came from position {position} on"),
            _ => {}
        }
    }
}

/// The data of an event, as text.
pub(crate) fn text(event: Record<'_>) -> String {
    String::from_utf8_lossy(event.data().bytes()).into_owned()
}

/// What a failed check of a stream found.
pub(crate) fn actual_revision(failed: &FailedCheck) -> Option<Revision> {
    match failed {
        FailedCheck::Stream { actual, .. } => *actual,
        failed => panic!("not a check of a stream: {failed}"),
    }
}
