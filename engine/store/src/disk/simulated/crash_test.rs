//! What a power cut may leave and what it must leave.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::{CrashPlan, Granularity, Keep, SimulatedDisk, SimulatedFile};
use crate::disk::{Access, Disk, DiskFile};

fn plan(seed: u64, keep: Keep, granularity: Granularity) -> CrashPlan {
    CrashPlan { seed, keep, granularity }
}

fn lose_all() -> CrashPlan {
    plan(0, Keep::None, Granularity::Sector)
}

/// A file of zeros whose name and length are durable.
fn disk_with_file(len: u64) -> (SimulatedDisk, SimulatedFile) {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    file.allocate(len).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir().unwrap();
    (disk, file)
}

/// The number in each sector, which must be the same in all its bytes.
fn sectors(image: &[u8]) -> Vec<u8> {
    let number = |sector: &[u8]| {
        assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is never torn");
        sector[0]
    };
    image.chunks(512).map(number).collect()
}

#[test]
fn synced_bytes_survive_every_plan() {
    let (disk, file) = disk_with_file(4096);
    file.write_at(b"synced", 100).unwrap();
    file.sync_data().unwrap();
    file.write_at(&[9; 512], 1024).unwrap();
    for seed in 0..500 {
        let fork = disk.fork();
        fork.power_cut(&CrashPlan::random(seed));
        assert_eq!(&fork.image("a")[100..106], b"synced");
    }
}

#[test]
fn keep_none_loses_all_and_keep_all_keeps_all() {
    let (disk, file) = disk_with_file(4096);
    file.write_at(&[1; 2000], 10).unwrap();
    file.allocate(8192).unwrap();
    disk.create("b").unwrap();
    let lost = disk.fork();
    lost.power_cut(&lose_all());
    assert_eq!(lost.image("a"), [0; 4096]);
    assert_eq!(lost.list().unwrap(), ["a"]);
    let kept = disk.fork();
    kept.power_cut(&plan(0, Keep::All, Granularity::Page));
    assert_eq!(kept.image("a"), disk.image("a"));
    assert_eq!(kept.list().unwrap(), ["a", "b"]);
}

#[test]
fn any_subset_of_dirty_sectors_may_survive_in_any_order() {
    let (disk, file) = disk_with_file(4096);
    file.write_at(&[1; 1536], 0).unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let fork = disk.fork();
        fork.power_cut(&plan(seed, Keep::Some(500), Granularity::Sector));
        seen.insert(sectors(&fork.image("a"))[..3].to_vec());
    }
    assert_eq!(seen.len(), 8, "each of three sectors, old or new");
}

#[test]
fn page_survives_as_a_whole_or_not_at_all() {
    let (disk, file) = disk_with_file(8192);
    file.write_at(&[1; 8192], 0).unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let fork = disk.fork();
        fork.power_cut(&plan(seed, Keep::Some(500), Granularity::Page));
        let pages: Vec<_> = sectors(&fork.image("a")).chunks(8).map(<[u8]>::to_vec).collect();
        assert!(pages.iter().all(|page| page.iter().all(|sector| *sector == page[0])));
        seen.insert((pages[0][0], pages[1][0]));
    }
    assert_eq!(seen.len(), 4);
}

#[test]
fn prefix_never_keeps_a_sector_above_a_lost_one() {
    let (disk, file) = disk_with_file(4096);
    file.write_at(&[1; 4096], 0).unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let fork = disk.fork();
        fork.power_cut(&plan(seed, Keep::Prefix, Granularity::Sector));
        let kept = sectors(&fork.image("a"));
        assert!(kept.is_sorted_by(|below, above| below >= above), "{kept:?}");
        seen.insert(kept);
    }
    assert_eq!(seen.len(), 9);
}

#[test]
fn sector_that_was_written_over_may_survive_in_an_earlier_version() {
    let (disk, file) = disk_with_file(512);
    for version in 1..=3 {
        file.write_at(&[version; 512], 0).unwrap();
    }
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let fork = disk.fork();
        fork.power_cut(&plan(seed, Keep::Some(700), Granularity::Sector));
        seen.extend(sectors(&fork.image("a")));
    }
    assert_eq!(seen, BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn grown_length_may_be_lost_until_it_is_synced() {
    let (disk, file) = disk_with_file(512);
    file.write_at(&[1; 1024], 512).unwrap();
    let mut lengths = BTreeSet::new();
    for seed in 0..200 {
        let fork = disk.fork();
        fork.power_cut(&plan(seed, Keep::Some(500), Granularity::Sector));
        lengths.insert(fork.image("a").len());
    }
    assert!(lengths.contains(&512) && lengths.contains(&1536) && lengths.len() > 2, "{lengths:?}");
    file.sync_data().unwrap();
    disk.power_cut(&lose_all());
    assert_eq!(sectors(&disk.image("a")), [0, 1, 1]);
}

#[test]
fn unsynced_directory_changes_survive_each_by_itself() {
    let (disk, _file) = disk_with_file(0);
    disk.create("made").unwrap();
    disk.restore("gone", vec![]);
    disk.remove("gone").unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let fork = disk.fork();
        fork.power_cut(&plan(seed, Keep::Some(500), Granularity::Sector));
        seen.insert(fork.list().unwrap());
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
    disk.sync_dir().unwrap();
    disk.power_cut(&lose_all());
    assert_eq!(disk.list().unwrap(), ["a", "made"]);
}

#[test]
fn renamed_file_has_its_old_name_or_its_new_one_and_never_both() {
    let disk = SimulatedDisk::new(0);
    disk.restore("tmp", b"new".to_vec());
    disk.restore("current", b"old".to_vec());
    disk.rename("tmp", "current").unwrap();
    disk.rename("current", "final").unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let fork = disk.fork();
        fork.power_cut(&plan(seed, Keep::Some(500), Granularity::Sector));
        let files: Vec<_> = fork.file_names().into_iter().map(|name| (fork.image(&name), name)).collect();
        assert_eq!(files.iter().filter(|(bytes, _)| bytes == b"new").count(), 1, "{files:?}");
        seen.insert(files);
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn handles_and_clones_from_before_the_cut_are_dead_and_the_clone_that_cut_lives() {
    let (disk, file) = disk_with_file(512);
    let store = disk.clone();
    disk.power_cut(&lose_all());
    for error in [
        file.write_at(b"x", 0).unwrap_err(),
        file.sync_data().unwrap_err(),
        file.len().unwrap_err(),
        file.view(0..1).unwrap_err(),
        store.create("b").unwrap_err(),
        store.clone().list().unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(error.to_string().contains("this handle is from before"), "{error}");
    }
    disk.clone().open("a", Access::Write).unwrap().write_at(b"x", 0).unwrap();
    drop(file);
    assert_eq!(disk.image("a")[0], b'x');
}

#[test]
fn same_plan_on_the_same_disk_leaves_the_same_bytes() {
    let (disk, file) = disk_with_file(512);
    file.write_at(&[1; 100_000], 100).unwrap();
    for seed in 0..50 {
        let (one, other) = (disk.fork(), disk.fork());
        one.power_cut(&CrashPlan::random(seed));
        other.power_cut(&CrashPlan::random(seed));
        assert_eq!(one.image("a"), other.image("a"));
    }
}

#[test]
fn fork_is_independent_and_remembers_what_is_pending() {
    let (disk, file) = disk_with_file(512);
    file.write_at(&[1; 512], 0).unwrap();
    let _lock = disk.lock("lock").unwrap();
    let fork = disk.fork();
    assert!(fork.lock("lock").unwrap().is_some());
    fork.power_cut(&lose_all());
    assert_eq!(sectors(&fork.image("a")), [0]);
    assert_eq!(sectors(&disk.image("a")), [1]);
    file.sync_data().unwrap();
}
