//! The ends of segments: marks, seals, headers and spares, and power cuts between them.

use crate::support::{open, request, small_options, stream};
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{AppendRequest, Durability, ExpectedRevision, Options, Position, Store};
use std::sync::{Arc, Mutex};

const FIRST: &str = "0000000001-0000.log";

fn data(length: usize) -> String {
    "x".repeat(length)
}

// Each clean close of a full segment took 80 bytes more of what was kept for its seal; the seal was then written beyond
// the end of the file, and a power cut in that roll left a file of the wrong length: a store that took no appends.
#[test]
fn many_clean_closes_of_a_full_segment_leave_room_for_its_seal() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    store.append(request("a-1", &[&data(1900)], Durability::Durable)).unwrap();
    store.append(request("a-1", &[&data(1453)], Durability::Durable)).unwrap();
    store.close().unwrap();
    for _ in 0..6 {
        open(&disk).close().unwrap();
    }
    open(&disk).append(request("a-1", &["next"], Durability::Durable)).unwrap();
    assert_eq!(disk.image(FIRST).len(), 8192);
}

// A mark between two commits made the room smaller than what the next group had been promised; with no spare at hand the
// commit panicked.
#[test]
fn a_mark_takes_no_room_that_was_given_out() {
    let disk = SimulatedDisk::new(1);
    let store = Arc::new(open(&disk));
    let tickets = Arc::new(Mutex::new(Vec::new()));
    let submit = |request: fn() -> AppendRequest| {
        let (store, tickets) = (Arc::downgrade(&store), Arc::clone(&tickets));
        disk.on_sync(Some(Box::new(move || {
            if let Some(store) = store.upgrade() {
                tickets.lock().unwrap().push(store.submit(request()).unwrap());
            }
        })));
    };
    // The first sync is that of the spare; here it is over.
    store.append(request("a-1", &["first"], Durability::Durable)).unwrap();
    submit(|| AppendRequest::new().expect(stream("a-1"), ExpectedRevision::StreamExists));
    store.append(request("a-1", &[&data(1900 - 192)], Durability::Durable)).unwrap();
    store.mark();
    submit(|| request("a-1", &[&data(1453)], Durability::Durable));
    let ticket = tickets.lock().unwrap().pop().unwrap();
    ticket.wait().unwrap();
    disk.on_sync(None);
    let ticket = tickets.lock().unwrap().pop().unwrap();
    let receipt = ticket.wait().unwrap();
    assert_eq!(receipt.positions, Position(2)..Position(3));
}

// The seal came on top of as many unsynced bytes as the header allows. Torn in the right place, that was more than a torn
// tail may be, and the store took no appends.
#[test]
fn a_roll_after_weak_appends_is_never_called_damage() {
    let options = || Options { first_segment_bytes: 12288, ..small_options() };
    for call in 1..12 {
        for seed in 0..30 {
            let disk = SimulatedDisk::new(1);
            let store = Store::open_on(disk.clone(), options()).unwrap();
            for _ in 0..2 {
                store.append(request("a-1", &[&data(1549)], Durability::Durable)).unwrap();
            }
            for _ in 0..3 {
                store.append(request("a-1", &[&data(1245)], Durability::Written)).unwrap();
            }
            disk.inject(Fault::PowerFailsAt { call });
            let _ = store.append(request("a-1", &["next"], Durability::Written));
            disk.power_cut(&CrashPlan { seed, keep: Keep::Some(500), granularity: Granularity::Sector });
            disk.clear_faults();
            drop(store);
            let store = Store::open_on(disk.clone(), options()).unwrap();
            assert!(!store.recovery().is_degraded, "call {call} seed {seed}: {:?}", store.recovery());
        }
    }
}

// While the first batches of a new segment wait for their sync, the keeper builds the segment after it. A power cut that
// took the new header left two files without one, and the second was taken for what follows on a lost segment.
#[test]
fn a_spare_behind_a_torn_new_segment_is_not_damage() {
    let options = || Options { unsynced_bytes_max: 1 << 20, ..small_options() };
    for call in 1..60 {
        for seed in 0..6 {
            let disk = SimulatedDisk::new(1);
            let store = Store::open_on(disk.clone(), options()).unwrap();
            store.append(request("a-1", &[&data(1900)], Durability::Written)).unwrap();
            disk.inject(Fault::PowerFailsAt { call });
            for _ in 0..20 {
                if store.append(request("a-1", &[&data(1453)], Durability::Written)).is_err() {
                    break;
                }
            }
            disk.power_cut(&CrashPlan { seed, keep: Keep::Some(500), granularity: Granularity::Sector });
            disk.clear_faults();
            drop(store);
            let store = Store::open_on(disk.clone(), options()).unwrap();
            assert!(!store.recovery().is_degraded, "call {call} seed {seed}: {:?}", store.recovery());
            store.append(request("a-1", &["next"], Durability::Durable)).unwrap();
        }
    }
}

// A power cut may leave one copy of a new segment's header. Recovery wrote the page again as it found it, so that the
// store was one flipped bit away from losing the segment, and verify spoke of damage for ever.
#[test]
fn both_copies_of_a_header_are_there_after_a_power_cut() {
    let mut repaired = 0;
    for seed in 0..200 {
        let disk = SimulatedDisk::new(1);
        let store = open(&disk);
        // The spare takes six calls; the power fails in the sync of the first batch.
        disk.inject(Fault::PowerFailsAt { call: 8 });
        let _ = store.append(request("a-1", &[&data(600)], Durability::Durable));
        disk.power_cut(&CrashPlan { seed, keep: Keep::Some(500), granularity: Granularity::Sector });
        disk.clear_faults();
        drop(store);
        if disk.file_names().iter().any(|name| name == FIRST) {
            let image = disk.image(FIRST);
            let copies = [0, 2048].map(|at| image[at..at + 128].iter().any(|byte| *byte != 0));
            repaired += u64::from(copies[0] != copies[1]);
        }
        let store = open(&disk);
        store.append(request("a-1", &["after"], Durability::Durable)).unwrap();
        let report = store.reader().verify(true, &mut |_, _| {});
        assert_eq!(report.damage, [], "seed {seed}");
    }
    assert!(repaired > 0);
}
