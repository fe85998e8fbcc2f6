//! Torn writes, all of them: every subset of the unsynced sectors, or pages, of one moment reached the device.

use crate::support::{open, request, small_options, texts};
use gesta::disk::{CrashPlan, Granularity, Keep, SimulatedDisk};
use gesta::{Durability, Read, Store};

/// Shows `check` every disk that a power cut now may leave, units of `unit` bytes being written as a whole.
fn every_subset(disk: &SimulatedDisk, unit: usize, mut check: impl FnMut(SimulatedDisk, u32)) -> u32 {
    let durable = disk.fork();
    durable.power_cut(&CrashPlan { seed: 1, keep: Keep::None, granularity: Granularity::Sector });
    assert_eq!(durable.file_names(), disk.file_names(), "no name is in doubt");
    let mut doubtful = Vec::new();
    for name in disk.file_names() {
        let (old, new) = (durable.image(&name), disk.image(&name));
        for (ordinal, (old, new)) in old.chunks(unit).zip(new.chunks(unit)).enumerate() {
            if old != new {
                doubtful.push((name.clone(), (ordinal * unit) as u64, new.to_vec()));
            }
        }
    }
    assert!((2..=14).contains(&doubtful.len()), "{} units are in doubt", doubtful.len());
    let subsets = 1 << doubtful.len();
    for subset in 0..subsets {
        let disk = durable.fork();
        for (bit, (name, offset, bytes)) in doubtful.iter().enumerate() {
            if subset & (1 << bit) != 0 {
                disk.overwrite(name, *offset, bytes);
            }
        }
        check(disk, subset);
    }
    subsets
}

/// What is found is what was acknowledged and then whole batches, in order; never a part of one.
fn check_whole_batches(disk: &SimulatedDisk, acknowledged: &[String], batches: &[Vec<String>], subset: u32) {
    let store = Store::open_on(disk.clone(), small_options()).unwrap();
    assert!(!store.recovery().is_degraded, "subset {subset:b}: {:?}", store.recovery());
    let found = texts(store.read(Read::all())).unwrap();
    let mut possible = acknowledged.to_vec();
    let mut is_possible = found == possible;
    for batch in batches {
        possible.extend_from_slice(batch);
        is_possible |= found == possible;
    }
    assert!(is_possible, "subset {subset:b}: {} events, {} acknowledged", found.len(), acknowledged.len());
    store.append(request("a-1", &["after"], Durability::Durable)).unwrap();
    store.close().unwrap();
    assert_eq!(open(disk).reader().head().0, found.len() as u64 + 1, "subset {subset:b}");
}

/// Appends events of these sizes, one batch for each list.
fn append_batches(store: &Store<SimulatedDisk>, sizes: &[&[usize]], durability: Durability) -> Vec<Vec<String>> {
    let mut batches = Vec::new();
    for sizes in sizes {
        let batch: Vec<String> = sizes.iter().map(|size| "x".repeat(*size)).collect();
        let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
        store.append(request("a-1", &texts, durability)).unwrap();
        batches.push(batch);
    }
    batches
}

#[test]
fn any_subset_of_the_sectors_of_the_last_batch_is_the_whole_batch_or_none_of_it() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let acknowledged = append_batches(&store, &[&[30, 31], &[20]], Durability::Durable).concat();
    store.mark();
    let batches = append_batches(&store, &[&[700, 900, 300]], Durability::Written);
    let subsets = every_subset(&disk, 512, |disk, subset| check_whole_batches(&disk, &acknowledged, &batches, subset));
    assert!(subsets >= 32, "{subsets}");
}

#[test]
fn any_subset_of_the_sectors_of_several_unsynced_batches_leaves_whole_batches_in_order() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let acknowledged = append_batches(&store, &[&[30], &[20]], Durability::Durable).concat();
    let batches = append_batches(&store, &[&[300, 9], &[500], &[40], &[333, 500]], Durability::Written);
    let subsets = every_subset(&disk, 512, |disk, subset| check_whole_batches(&disk, &acknowledged, &batches, subset));
    assert!(subsets >= 32, "{subsets}");
}

#[test]
fn any_subset_of_the_sectors_of_a_new_segment_leaves_whole_batches() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let acknowledged = append_batches(&store, &[&[1500], &[1500]], Durability::Durable).concat();
    let segments = |disk: &SimulatedDisk| {
        let is_opened = |name: &String| name.ends_with(".log") && disk.image(name).iter().any(|byte| *byte != 0);
        disk.file_names().iter().filter(|name| is_opened(name)).count()
    };
    assert_eq!(segments(&disk), 1);
    let batches = append_batches(&store, &[&[1000, 500]], Durability::Written);
    assert_eq!(segments(&disk), 2, "the last batch opened a segment");
    let subsets = every_subset(&disk, 512, |disk, subset| check_whole_batches(&disk, &acknowledged, &batches, subset));
    assert!(subsets >= 32, "{subsets}");
}

#[test]
fn a_torn_page_inside_the_last_batch_costs_the_whole_batch() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let acknowledged = append_batches(&store, &[&[1500], &[1500], &[1900], &[1200]], Durability::Durable).concat();
    let batches = append_batches(&store, &[&[1900, 300]], Durability::Written);
    let subsets = every_subset(&disk, 4096, |disk, subset| check_whole_batches(&disk, &acknowledged, &batches, subset));
    assert_eq!(subsets, 4, "the batch lies across two pages");
}
