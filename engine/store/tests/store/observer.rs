//! Reading a log beside its writer, without its lock.

use crate::misplaced::written_segments;
use crate::support::{open, request, texts};
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{Durability, Position, Read, ReadError, Reader};

#[test]
fn an_observer_is_not_misled_by_a_mark_that_a_failed_sync_took() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    store.mark();
    let reader = Reader::open_on(disk.clone()).unwrap();
    assert_eq!(reader.head(), Position(1));
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    store.append(request("a-1", &["lost"], Durability::Durable)).unwrap_err();
    drop(store);
    assert_eq!(reader.refresh().unwrap(), []);
    let store = open(&disk);
    for number in 0..4 {
        store.append(request("a-1", &[&format!("new {number}")], Durability::Durable)).unwrap();
    }
    store.mark();
    assert_eq!(reader.refresh().unwrap(), []);
    assert_eq!(texts(reader.read(Read::all())).unwrap(), ["one", "new 0", "new 1", "new 2", "new 3"]);
}

// Only files with a header were looked at: a reader, and verify, saw a shorter log and no damage.
#[test]
fn a_reader_notices_that_the_last_segment_has_lost_its_header() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    for number in 0..80 {
        store.append(request("a-1", &[&format!("event {number}")], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    let last = disk
        .file_names()
        .into_iter()
        .rfind(|name| name.ends_with(".log") && disk.image(name)[..8].iter().any(|byte| *byte != 0));
    let last = last.unwrap();
    assert_ne!(last, "0000000001-0000.log");
    disk.overwrite(&last, 0, &[0xa5; 4096]);
    let reader = Reader::open_on(disk.clone()).unwrap();
    let report = reader.verify(true, &mut |_, _| {});
    assert_ne!(report.damage, [], "{} events, silently", report.events);
}

/// The manifest of a store that was not closed knows nothing of its end: the batches of the segment itself are the evidence.
#[test]
fn a_reader_notices_a_lost_header_after_a_power_cut() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    let data = "x".repeat(900);
    let mut count = 0;
    while written_segments(&disk).len() < 2 {
        store.append(request("a-1", &[&data], Durability::Durable)).unwrap();
        count += 1;
    }
    let base = count - 1;
    for _ in 0..4 {
        store.append(request("a-1", &[&data], Durability::Durable)).unwrap();
        count += 1;
    }
    disk.power_cut(&CrashPlan { seed: 1, keep: Keep::All, granularity: Granularity::Sector });
    drop(store);
    disk.zero(&written_segments(&disk)[1], 0..4096);
    let reader = Reader::open_on(disk).unwrap();
    // What the last batch states: it was written when all before it was durable.
    assert_eq!(reader.head(), Position(count - 1));
    let mut cursor = reader.read(Read::all());
    for position in 0..base {
        assert_eq!(cursor.next_record().unwrap().unwrap().position(), Position(position));
    }
    let Some(Err(ReadError::Damaged(damage))) = cursor.next_record() else { panic!("{base} to {count}") };
    assert_eq!(damage.positions, Position(base)..Position(count - 1));
    assert!(cursor.next_record().is_none());
}
