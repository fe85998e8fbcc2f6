//! Closing under appenders and readers, and whom a lock keeps out.

use crate::explore::explore;
use crate::scene::{all, large_request, open, options, request, told};
use gesta::disk::{Fault, SimulatedDisk};
use gesta::{AppendError, OpenError, Position, Read, Store};
use shuttle::thread;
use std::sync::Arc;

const EARLIER: usize = 7;

fn a_close_under_appenders_and_readers() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    for number in 0..EARLIER {
        store.append(large_request("earlier", &number.to_string())).unwrap();
    }
    let reader = store.reader();
    let reading = thread::spawn(move || {
        let head = reader.head();
        let read = told(reader.read(Read::all()));
        assert!(read.len() >= usize::try_from(head.0).unwrap(), "{read:?}");
        assert!(read.iter().enumerate().all(|(place, (position, _))| *position == Position(place as u64)), "{read:?}");
    });
    let appending = Arc::clone(&store);
    let appender = thread::spawn(move || {
        let mut taken = Vec::new();
        for number in 0..4 {
            let text = format!("late {number}");
            match appending.append(request("late", &text)) {
                Ok(receipt) => taken.push((receipt.positions.start, text)),
                Err(AppendError::Closed) => break,
                Err(error) => panic!("{error}"),
            }
        }
        taken
    });
    store.shut().unwrap();
    // The next writer comes in while readers of this one are still at it.
    let next = open(&disk);
    next.append(request("next", "next")).unwrap();
    reading.join().unwrap();
    let taken = appender.join().unwrap();
    let there = all(&next);
    assert_eq!(there.len(), EARLIER + taken.len() + 1, "lost, or taken after the close: {taken:?} of {there:?}");
    assert!(taken.iter().all(|told| there.contains(told)), "{taken:?} of {there:?}");
}

#[test]
fn a_close_takes_all_that_was_acknowledged_along_and_lets_readers_finish() {
    explore(a_close_under_appenders_and_readers);
}

fn a_close_that_fails_under_a_reader() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    store.append(request("a-1", "0")).unwrap();
    disk.inject(Fault::FailSync { sync: 1, persistent: true });
    assert!(store.append(request("a-1", "1")).is_err());
    disk.clear_faults();
    let reader = store.reader();
    let mut cursor = reader.read(Read::all());
    let (one, other) = (reader.clone(), reader);
    drop(store);
    let dropping = thread::spawn(move || drop(one));
    let reading = thread::spawn(move || {
        assert!(cursor.next_record().unwrap().is_ok());
        let still = Store::open_on(disk.clone(), options());
        assert!(matches!(still, Err(OpenError::Locked { .. })), "a writer came in under a reader");
        drop(cursor);
        disk
    });
    dropping.join().unwrap();
    drop(other);
    let disk = reading.join().unwrap();
    let store = open(&disk);
    assert!(all(&store).len() <= 2);
    assert_eq!(all(&store)[0].1, "0");
}

#[test]
fn after_a_failed_close_the_last_reader_lets_the_next_writer_in() {
    explore(a_close_that_fails_under_a_reader);
}
