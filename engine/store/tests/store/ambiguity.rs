//! What one node cannot tell is said: a torn write, or the last acknowledged batch, damaged before anything proved it.

use crate::support::{open, request};
use gesta::disk::{CrashPlan, Keep, SimulatedDisk};
use gesta::{Durability, Position};

const SEGMENT: &str = "0000000001-0000.log";

/// A store that died after these were acknowledged and before anything stated so.
fn killed_after(data: &[&str]) -> SimulatedDisk {
    let disk = SimulatedDisk::new(5);
    let store = open(&disk);
    for text in data {
        store.append(request("a-1", &[text], Durability::Durable)).unwrap();
    }
    disk.power_cut(&CrashPlan { keep: Keep::All, ..CrashPlan::random(1) });
    disk
}

fn offset_of(disk: &SimulatedDisk, text: &str) -> u64 {
    disk.image(SEGMENT).windows(text.len()).position(|bytes| bytes == text.as_bytes()).unwrap() as u64
}

#[test]
fn a_damaged_last_batch_is_an_ambiguous_tail() {
    let disk = killed_after(&["one", "two"]);
    disk.flip_bit(SEGMENT, offset_of(&disk, "two"), 3);
    let store = open(&disk);
    assert_eq!((store.recovery().tail, store.recovery().is_degraded), (Position(1), false));
    assert!(store.recovery().ambiguous_tail);
}

#[test]
fn a_last_batch_without_its_headers_is_an_ambiguous_tail() {
    let disk = killed_after(&["one", "two"]);
    let (one, two) = (offset_of(&disk, "one"), offset_of(&disk, "two"));
    let batch_bytes = two - one;
    disk.zero(SEGMENT, 4096 + batch_bytes..4096 + batch_bytes + 80);
    let store = open(&disk);
    assert_eq!((store.recovery().tail, store.recovery().is_degraded), (Position(1), false));
    assert!(store.recovery().ambiguous_tail);
}

#[test]
fn a_first_batch_without_its_header_page_is_an_ambiguous_tail() {
    let disk = killed_after(&["one"]);
    disk.zero(SEGMENT, 0..4096);
    let store = open(&disk);
    assert_eq!((store.recovery().tail, store.recovery().is_degraded), (Position(0), false));
    assert!(store.recovery().ambiguous_tail);
}

#[test]
fn a_tail_that_ends_in_zeros_is_not_ambiguous() {
    let store = open(&killed_after(&["one", "two"]));
    assert_eq!(store.recovery().tail, Position(2));
    assert!(!store.recovery().ambiguous_tail);
}
