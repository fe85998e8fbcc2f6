//! Closing: when the next writer may come in.

use crate::support::{open, request, small_options, texts};
use gesta::disk::{Fault, SimulatedDisk};
use gesta::{Durability, OpenError, Read, Store};

/// The lock was a field of the store, so it went with the store even when closing had failed. A reader that was still
/// alive could look at written but unsynced bytes while the next writer's recovery cut them.
#[test]
fn after_a_failed_close_no_writer_comes_in_before_the_last_reader_has_gone() {
    let disk = SimulatedDisk::new(5);
    let store = open(&disk);
    store.append(request("a-1", &["durable"], Durability::Durable)).unwrap();
    store.append(request("a-1", &["written"], Durability::Written)).unwrap();
    let reader = store.reader();
    let cursor = store.read(Read::all().unsynced());
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    store.close().unwrap_err();
    disk.clear_faults();

    let second = || Store::open_on(disk.clone(), small_options());
    assert!(matches!(second(), Err(OpenError::Locked { .. })));
    assert_eq!(texts(cursor).unwrap(), ["durable", "written"]);
    assert!(matches!(second(), Err(OpenError::Locked { .. })));
    drop(reader);
    assert_eq!(texts(second().unwrap().read(Read::all())).unwrap()[..1], ["durable"]);
}

#[test]
fn after_a_clean_close_the_next_writer_comes_in_beside_readers() {
    let disk = SimulatedDisk::new(5);
    let store = open(&disk);
    store.append(request("a-1", &["one"], Durability::Written)).unwrap();
    let reader = store.reader();
    store.close().unwrap();
    let next = open(&disk);
    next.append(request("a-1", &["two"], Durability::Durable)).unwrap();
    assert_eq!(texts(reader.read(Read::all())).unwrap(), ["one"]);
}
