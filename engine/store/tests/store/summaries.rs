//! Summaries of the index: what is damaged is made anew by itself.

use crate::support::{open, request};
use gesta::disk::{CrashPlan, Disk, Fault, SimulatedDisk};
use gesta::{AppendRequest, Durability, ExpectedRevision, IndexReport, Reader, Revision, Store};

const SUMMARY: &str = "0000000001-0000000008.sum";
/// Where the rows stand.
const ROWS_OFFSET: u64 = 4096;

/// Appends one large event after another until `is_enough`.
fn append_until(store: &Store<SimulatedDisk>, mut is_enough: impl FnMut() -> bool) {
    let data = "x".repeat(1500);
    for _ in 0..1000 {
        if is_enough() {
            return;
        }
        store.append(request("busy-1", &[&data], Durability::Durable)).unwrap();
    }
    panic!("a thousand events were not enough");
}

fn index_files(disk: &SimulatedDisk) -> usize {
    disk.file_names().iter().filter(|name| name.ends_with(".idx")).count()
}

fn verified(store: &Store<SimulatedDisk>) -> IndexReport {
    store.reader().verify_index(&mut |_, _| {})
}

// A summary with a damaged block was asked again and again, never helped, and stayed until somebody rebuilt the whole index.
#[test]
fn a_summary_that_is_found_damaged_is_made_anew_after_the_next_roll() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    store.append(request("old-1", &["a", "b"], Durability::Durable)).unwrap();
    append_until(&store, || disk.list().unwrap().iter().any(|name| name == SUMMARY));
    store.close().unwrap();
    disk.flip_bit(SUMMARY, ROWS_OFFSET, 3);

    let store = open(&disk);
    assert_eq!(verified(&store).damaged.len(), 1);
    let stream = gesta::StreamName::new("old-1").unwrap();
    // The summary would have known the stream; the parts know it as well.
    let check = AppendRequest::new().expect(stream, ExpectedRevision::Exactly(Revision(1)));
    store.append(check).unwrap();
    let files = index_files(&disk);
    append_until(&store, || index_files(&disk) > files);
    assert_eq!(verified(&store).damaged, []);
}

// Where the power failed between a seal and the first write after it, the eighth segment was the last of the log when the store
// was opened, and not counted among the sealed ones: its summary was there, and not used.
#[test]
fn a_summary_is_used_whenever_the_power_fails_around_the_seal_that_completes_it() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    append_until(&store, || index_files(&disk) == 7);
    let data = "x".repeat(1500);
    let mut completed = 0;
    for call in 1..120 {
        let disk = disk.fork();
        let store = open(&disk);
        disk.inject(Fault::PowerFailsAt { call });
        while store.append(request("busy-1", &[&data], Durability::Durable)).is_ok() && index_files(&disk) < 9 {}
        disk.power_cut(&CrashPlan::random(call));
        drop(store);
        disk.clear_faults();
        let store = open(&disk);
        store.rebuild_index(&mut |_, _| {}).unwrap();
        assert_eq!(verified(&store).missing, [""; 0], "power failed at call {call}");
        store.close().unwrap();
        let store = open(&disk);
        assert_eq!(verified(&store).missing, [""; 0], "opened again, power failed at call {call}");
        // Whoever looks on from another process does not know that nothing follows the last segment.
        let seen = Reader::open_on(disk.clone()).unwrap().verify_index(&mut |_, _| {});
        assert_eq!((seen.missing, seen.damaged), (Vec::new(), Vec::new()), "a reader beside it, {call}");
        completed += usize::from(index_files(&disk) == 8);
    }
    assert!(completed > 5, "{completed} times the eighth segment was the last that was sealed");
}
