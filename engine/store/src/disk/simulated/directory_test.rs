//! A simulated disk without any fault: what an honest disk does.

use std::io::ErrorKind;

use super::{CrashPlan, Granularity, Keep, SimulatedDisk};
use crate::disk::{Access, Disk, DiskFile};

const LOSE_ALL: CrashPlan = CrashPlan { seed: 1, keep: Keep::None, granularity: Granularity::Sector };

#[test]
fn files_are_made_listed_renamed_and_removed() {
    let disk = SimulatedDisk::new(0);
    disk.create("a").unwrap();
    assert_eq!(disk.create("a").unwrap_err().kind(), ErrorKind::AlreadyExists);
    disk.create("b").unwrap();
    disk.rename("a", "b").unwrap();
    assert_eq!(disk.list().unwrap(), ["b"]);
    disk.remove("b").unwrap();
    assert!(disk.list().unwrap().is_empty());
    assert_eq!(disk.open("b", Access::Read).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.rename("b", "a").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(disk.remove("b").unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn written_bytes_are_read_back_and_the_end_of_the_file_is_an_error() {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    file.allocate(4).unwrap();
    file.write_at(b"hello", 3).unwrap();
    let mut bytes = [1; 8];
    file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(&bytes, b"\0\0\0hello");
    assert_eq!(file.read_at(&mut bytes, 1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(file.view(0..9).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(&*file.view(3..5).unwrap(), b"he");
}

#[test]
fn file_opened_for_reading_refuses_to_change() {
    let disk = SimulatedDisk::new(0);
    disk.create("a").unwrap();
    let file = disk.open("a", Access::Read).unwrap();
    assert_eq!(file.write_at(b"x", 0).unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(file.allocate(1).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn removed_file_lives_as_long_as_it_is_open() {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    file.write_at(b"kept", 0).unwrap();
    disk.remove("a").unwrap();
    disk.sync_dir().unwrap();
    assert_eq!(&*file.view(0..4).unwrap(), b"kept");
}

#[test]
fn second_lock_is_refused_until_the_first_is_dropped_or_the_power_goes() {
    let disk = SimulatedDisk::new(0);
    let first = disk.lock("lock").unwrap();
    assert!(first.is_some());
    assert!(disk.lock("lock").unwrap().is_none());
    drop(first);
    let second = disk.lock("lock").unwrap();
    assert!(second.is_some());
    disk.power_cut(&LOSE_ALL);
    let third = disk.lock("lock").unwrap();
    assert!(third.is_some());
    drop(second);
    assert!(disk.lock("lock").unwrap().is_none(), "a dead lock releases nothing");
}

#[test]
fn calls_syncs_and_writes_are_counted_and_reads_are_not() {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    file.allocate(512).unwrap();
    file.write_at(b"x", 0).unwrap();
    file.write_at(b"y", 1).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir().unwrap();
    disk.rename("a", "b").unwrap();
    disk.remove("b").unwrap();
    let _lock = disk.lock("lock").unwrap();
    file.view(0..1).unwrap();
    assert_eq!((disk.calls(), disk.syncs(), disk.writes()), (8, 1, 2));
}

#[test]
fn full_disk_refuses_growth_until_room_is_made() {
    let disk = SimulatedDisk::new(0);
    disk.set_capacity(Some(1000));
    let file = disk.create("a").unwrap();
    file.allocate(800).unwrap();
    assert_eq!(disk.free_space().unwrap(), 200);
    let other = disk.create("b").unwrap();
    assert_eq!(other.allocate(201).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(other.write_at(&[1; 201], 0).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(other.len().unwrap(), 0);
    file.write_at(&[1; 800], 0).unwrap();
    disk.remove("a").unwrap();
    other.allocate(1000).unwrap();
}

#[test]
#[should_panic(expected = "were viewed up to 4")]
fn write_below_a_viewed_end_is_a_mistake_of_ours() {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    file.write_at(b"seen", 0).unwrap();
    file.view(0..4).unwrap();
    let _ = file.write_at(b"x", 3);
}

#[test]
fn file_that_is_opened_again_has_no_viewed_bytes() {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    file.write_at(b"seen", 0).unwrap();
    file.view(0..4).unwrap();
    drop(file);
    let file = disk.open("a", Access::Write).unwrap();
    let mut bytes = [0; 4];
    file.read_at(&mut bytes, 0).unwrap();
    file.write_at(&bytes, 0).unwrap();
}

#[test]
fn hook_runs_in_each_sync_and_what_it_writes_is_not_covered() {
    let disk = SimulatedDisk::new(0);
    disk.create("a").unwrap();
    disk.sync_dir().unwrap();
    let file = disk.open("a", Access::Write).unwrap();
    let other = disk.open("a", Access::Write).unwrap();
    file.write_at(&[1; 512], 0).unwrap();
    disk.on_sync(Some(Box::new(move || {
        let end = other.len().unwrap();
        other.write_at(&[2; 512], end).unwrap();
        other.sync_data().unwrap();
        other.write_at(&[3; 512], end + 512).unwrap();
    })));
    file.sync_data().unwrap();
    assert_eq!(file.len().unwrap(), 1536, "the sync inside the hook does not run the hook");
    file.sync_data().unwrap();
    assert_eq!(file.len().unwrap(), 2560);
    disk.power_cut(&LOSE_ALL);
    let numbers: Vec<u8> = disk.image("a").chunks(512).map(|sector| sector[0]).collect();
    assert_eq!(numbers, [1, 2, 3, 2], "the last write came after the last sync had begun");
    disk.on_sync(None);
}

#[test]
fn hook_that_takes_itself_away_stays_away() {
    let disk = SimulatedDisk::new(0);
    let file = disk.create("a").unwrap();
    let switch = disk.clone();
    let other = disk.open("a", Access::Write).unwrap();
    disk.on_sync(Some(Box::new(move || {
        other.write_at(b"once", 0).unwrap();
        switch.on_sync(None);
    })));
    file.sync_data().unwrap();
    file.sync_data().unwrap();
    assert_eq!(disk.writes(), 1);
}
