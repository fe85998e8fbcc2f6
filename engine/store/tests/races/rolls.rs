//! Segments that are sealed and begun under appenders and readers.

use crate::explore::{explore, require_same_again};
use crate::scene::{SimulatedStore, all, large_request, open, stream, text_of, told};
use gesta::disk::SimulatedDisk;
use gesta::{Position, Read};
use shuttle::thread;
use std::sync::Arc;

const APPENDERS: usize = 2;
const APPENDS: usize = 6;

/// Appends what fills a segment and more.
fn append(store: &Arc<SimulatedStore>, appender: usize) -> Vec<(Position, String)> {
    let one = |number| {
        let text = format!("{appender}/{number}");
        let receipt = store.append(large_request(&format!("a-{appender}"), &text)).unwrap();
        (receipt.positions.start, text)
    };
    (0..APPENDS).map(one).collect()
}

/// Reads everything that is there, forward and backward: both see the same, without a gap, and no less than before.
fn read_along(store: &Arc<SimulatedStore>) {
    let mut seen = Vec::new();
    while seen.len() < APPENDERS * APPENDS {
        store.reader().wait_beyond(Position(seen.len() as u64), std::time::Duration::MAX);
        let now = all(store);
        assert!(now.starts_with(&seen), "{seen:?} became {now:?}");
        assert!(now.iter().enumerate().all(|(place, (position, _))| position.0 == place as u64), "{now:?}");
        let mut backwards = told(store.read(Read::all().backwards()));
        backwards.reverse();
        assert!(backwards.starts_with(&now), "{now:?}, and backwards {backwards:?}");
        seen = now;
    }
}

fn segments_under_appenders_and_readers() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|appender| {
            let store = Arc::clone(&store);
            thread::spawn(move || append(&store, appender))
        })
        .collect();
    let reading = Arc::clone(&store);
    let reader = thread::spawn(move || read_along(&reading));
    let mut appended: Vec<_> = appenders.into_iter().flat_map(|appender| appender.join().unwrap()).collect();
    reader.join().unwrap();
    appended.sort_unstable();
    assert_eq!(all(&store), appended);
    for appender in 0..APPENDERS {
        let name = stream(&format!("a-{appender}"));
        let mut cursor = store.read(Read::stream(name));
        for number in 0..APPENDS {
            let record = cursor.next_record().expect("an event of the stream is missing").unwrap();
            assert_eq!(text_of(record.data().bytes()), format!("{appender}/{number}"));
            assert_eq!(record.revision().map(|revision| revision.0), Some(number as u64));
        }
        assert!(cursor.next_record().is_none());
    }
    let segments = disk.file_names().iter().filter(|name| name.ends_with(".log")).count();
    assert!(segments >= 3, "{segments} segments: nothing was rolled");
    drop(store);
    assert_eq!(all(&open(&disk)), appended);
}

#[test]
fn a_schedule_leads_to_the_same_again() {
    require_same_again(segments_under_appenders_and_readers);
}

#[test]
fn a_roll_loses_no_event_and_shows_none_twice() {
    explore(segments_under_appenders_and_readers);
}
