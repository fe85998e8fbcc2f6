//! Each fault does what it says, when it says so, and nothing else.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};

use super::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk, SimulatedFile};
use crate::disk::{Access, Disk, DiskFile};

const LOSE_ALL: CrashPlan = CrashPlan { seed: 1, keep: Keep::None, granularity: Granularity::Sector };
const KEEP_ALL: CrashPlan = CrashPlan { seed: 1, keep: Keep::All, granularity: Granularity::Sector };

/// A file of zeros whose name and length are durable.
fn disk_with_file(seed: u64, len: u64) -> (SimulatedDisk, SimulatedFile) {
    let disk = SimulatedDisk::new(seed);
    let file = disk.create("a").unwrap();
    file.allocate(len).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir().unwrap();
    (disk, file)
}

fn is_eio(error: &io::Error) -> bool {
    error.kind() == io::Error::from(rustix::io::Errno::IO).kind()
}

#[test]
fn power_fails_at_the_counted_call_and_stays_off_until_the_cut() {
    let (disk, file) = disk_with_file(0, 512);
    disk.inject(Fault::PowerFailsAt { call: 2 });
    file.write_at(b"x", 0).unwrap();
    file.len().unwrap();
    file.sync_data().unwrap_err();
    assert!(file.len().unwrap_err().to_string().contains("power"));
    disk.list().unwrap_err();
    disk.lock("lock").unwrap_err();
    disk.clear_faults();
    disk.open("a", Access::Read).unwrap_err();
    disk.power_cut(&LOSE_ALL);
    assert_eq!(disk.image("a"), [0; 512]);
    disk.open("a", Access::Write).unwrap().write_at(b"x", 0).unwrap();
}

#[test]
fn call_in_which_the_power_fails_may_have_taken_effect_in_part() {
    let mut lengths = BTreeSet::new();
    let mut created = BTreeSet::new();
    for seed in 0..50 {
        let (disk, file) = disk_with_file(seed, 64);
        disk.inject(Fault::PowerFailsAt { call: 1 });
        file.write_at(&[1; 64], 0).unwrap_err();
        disk.power_cut(&KEEP_ALL);
        lengths.insert(disk.image("a").iter().filter(|byte| **byte == 1).count());
        disk.inject(Fault::PowerFailsAt { call: 1 });
        disk.create("b").unwrap_err();
        disk.power_cut(&KEEP_ALL);
        created.insert(disk.file_names().len());
    }
    assert!(lengths.len() > 10, "{lengths:?}");
    assert_eq!(created, BTreeSet::from([1, 2]));
}

#[test]
fn counted_call_fails_once_or_for_ever_and_does_nothing() {
    let (disk, file) = disk_with_file(0, 512);
    disk.inject(Fault::FailCall { call: 2, kind: ErrorKind::ReadOnlyFilesystem, persistent: false });
    file.write_at(b"x", 0).unwrap();
    assert_eq!(file.write_at(b"y", 0).unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
    disk.create("b").unwrap();
    disk.inject(Fault::FailCall { call: 1, kind: ErrorKind::StorageFull, persistent: true });
    for _ in 0..3 {
        assert_eq!(disk.create("c").unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(file.sync_data().unwrap_err().kind(), ErrorKind::StorageFull);
    }
    assert_eq!(disk.image("a")[0], b'x');
    disk.clear_faults();
    disk.create("c").unwrap();
}

#[test]
fn failed_sync_marks_the_sectors_clean_and_the_next_ok_means_nothing_for_them() {
    let (disk, file) = disk_with_file(0, 1024);
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    file.write_at(&[1; 512], 0).unwrap();
    assert!(is_eio(&file.sync_data().unwrap_err()));
    file.write_at(&[2; 512], 512).unwrap();
    file.sync_data().unwrap();
    assert_eq!(disk.image("a")[0], 1, "the cache still shows what was lost");
    let fork = disk.fork();
    fork.power_cut(&KEEP_ALL);
    assert_eq!((fork.image("a")[0], fork.image("a")[512]), (0, 2));
    file.drop_cache().unwrap();
    assert_eq!((disk.image("a")[0], disk.image("a")[512]), (0, 2));
}

#[test]
fn persistent_failed_sync_fails_every_sync_from_then_on() {
    let (disk, file) = disk_with_file(0, 512);
    disk.inject(Fault::FailSync { sync: 2, persistent: true });
    file.sync_data().unwrap();
    assert!((0..3).all(|_| file.sync_data().is_err()));
}

#[test]
fn lost_flush_says_ok_and_leaves_the_sectors_dirty() {
    let (disk, file) = disk_with_file(0, 512);
    disk.inject(Fault::LostFlush { sync: 1 });
    file.write_at(&[1; 512], 0).unwrap();
    file.sync_data().unwrap();
    let fork = disk.fork();
    fork.power_cut(&LOSE_ALL);
    assert_eq!(fork.image("a"), [0; 512]);
    file.sync_data().unwrap();
    disk.power_cut(&LOSE_ALL);
    assert_eq!(disk.image("a"), [1; 512]);
}

#[test]
fn short_write_writes_half_and_fails() {
    let (disk, file) = disk_with_file(0, 8);
    disk.inject(Fault::ShortWrite { write: 2 });
    file.write_at(&[1; 2], 0).unwrap();
    assert!(is_eio(&file.write_at(&[2; 4], 2).unwrap_err()));
    file.write_at(&[3; 2], 6).unwrap();
    assert_eq!(disk.image("a"), [1, 1, 2, 2, 0, 0, 3, 3]);
}

#[test]
fn bad_range_fails_every_read_and_view_that_touches_it() {
    let (disk, file) = disk_with_file(0, 1024);
    disk.create("b").unwrap().write_at(&[0; 1024], 0).unwrap();
    disk.inject(Fault::FailRead { file: "a".to_owned(), range: 512..600 });
    let mut bytes = [0; 100];
    file.read_at(&mut bytes, 412).unwrap();
    file.read_at(&mut bytes, 600).unwrap();
    assert!(is_eio(&file.read_at(&mut bytes, 413).unwrap_err()));
    assert!(is_eio(&file.view(599..1024).unwrap_err()));
    disk.open("b", Access::Read).unwrap().view(0..1024).unwrap();
    disk.clear_faults();
    file.view(0..1024).unwrap();
}

#[test]
fn several_faults_wait_for_their_own_moments() {
    let (disk, file) = disk_with_file(0, 512);
    disk.inject(Fault::FailCall { call: 3, kind: ErrorKind::QuotaExceeded, persistent: false });
    disk.inject(Fault::ShortWrite { write: 1 });
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    assert!(is_eio(&file.write_at(b"xx", 0).unwrap_err()));
    assert!(is_eio(&file.sync_data().unwrap_err()));
    assert_eq!(file.sync_data().unwrap_err().kind(), ErrorKind::QuotaExceeded);
    file.sync_data().unwrap();
}
