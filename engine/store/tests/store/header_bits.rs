//! Bits that flip in the headers of batches, requests and records, where the lengths are: no length that is not proven makes
//! a store take memory.

use crate::child;
use crate::damage::{check_flip, fill};
use crate::machine::limit_memory;
use crate::misplaced::{batches, written_segments};
use crate::support::open;
use gesta::Upkeep;
use gesta::codec::{HEADERS_BYTES, RECORD_HEADER_BYTES, REQUEST_HEADER_BYTES};
use gesta::disk::{CrashPlan, Keep, SimulatedDisk};

/// The headers of the batch, of its first request and of that one's first record.
const ALL_HEADERS_BYTES: usize = HEADERS_BYTES + REQUEST_HEADER_BYTES + RECORD_HEADER_BYTES;

/// A store of some segments whose process died: the last segment is still the active one.
fn store_under_way() -> (SimulatedDisk, Vec<String>) {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    let expected = fill(&store);
    store.mark();
    disk.power_cut(&CrashPlan { keep: Keep::All, ..CrashPlan::random(1) });
    drop(store);
    (disk, expected)
}

#[test]
fn no_flipped_bit_of_a_header_makes_a_store_take_memory_for_what_is_not_there() {
    if child::directory().is_none() {
        let directory = tempfile::tempdir().unwrap();
        let name = "header_bits::no_flipped_bit_of_a_header_makes_a_store_take_memory_for_what_is_not_there";
        return child::run(name, directory.path());
    }
    assert_eq!(crate::support::small_options().upkeep, Upkeep::Inline, "threads would take memory of their own");
    let (disk, expected) = store_under_way();
    let segments = written_segments(&disk);
    let [sealed, .., active] = &segments[..] else { panic!("one segment only: {segments:?}") };
    // A length of 32 bits may ask for 4 GiB.
    limit_memory();
    let mut flips = 0;
    for name in [sealed, active] {
        let found = batches(&disk, name);
        let (start, _) = found[found.len() / 2];
        for offset in start..start + ALL_HEADERS_BYTES as u64 {
            for bit in 0..8 {
                check_flip(&disk, &expected, name, offset, bit);
                flips += 1;
            }
        }
    }
    println!("{flips} flipped bits of headers");
    assert_eq!(flips, 2 * 8 * ALL_HEADERS_BYTES);
}
