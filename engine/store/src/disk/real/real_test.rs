//! What the real disk promises, against the file system of the machine that runs the tests.

use std::fs;
use std::io::ErrorKind;

use tempfile::TempDir;

use super::RealDisk;
use crate::disk::{Access, Disk, DiskFile};

fn disk() -> (TempDir, RealDisk) {
    let directory = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(directory.path()).unwrap();
    (directory, disk)
}

#[test]
fn create_makes_missing_directories_and_open_needs_one() {
    let (directory, _) = disk();
    let path = directory.path().join("above/store");
    assert_eq!(RealDisk::open(&path).unwrap_err().kind(), ErrorKind::NotFound);
    RealDisk::create(&path).unwrap();
    RealDisk::create(&path).unwrap();
    RealDisk::open(&path).unwrap();
    fs::write(path.join("file"), b"").unwrap();
    assert_eq!(RealDisk::open(path.join("file")).unwrap_err().kind(), ErrorKind::NotADirectory);
}

#[test]
fn files_are_made_listed_renamed_and_removed() {
    let (directory, disk) = disk();
    disk.create("a").unwrap();
    assert_eq!(disk.create("a").unwrap_err().kind(), ErrorKind::AlreadyExists);
    disk.create("b").unwrap();
    fs::create_dir(directory.path().join("not-a-file")).unwrap();
    disk.rename("a", "b").unwrap();
    assert_eq!(disk.list().unwrap(), ["b"]);
    disk.remove("b").unwrap();
    disk.sync_dir().unwrap();
    assert!(disk.list().unwrap().is_empty());
}

#[test]
fn error_names_its_file_and_keeps_its_kind() {
    let (_directory, disk) = disk();
    let error = disk.open("missing", Access::Write).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with(&disk.describe("missing")), "{error}");
}

#[test]
fn second_lock_is_refused_until_the_first_is_dropped() {
    let (_directory, disk) = disk();
    let first = disk.lock("lock").unwrap();
    assert!(first.is_some());
    assert!(disk.lock("lock").unwrap().is_none());
    drop(first);
    assert!(disk.lock("lock").unwrap().is_some());
}

#[test]
fn allocated_bytes_read_as_zeros_and_allocate_never_shortens() {
    let (_directory, disk) = disk();
    let file = disk.create("a").unwrap();
    file.allocate(8192).unwrap();
    file.allocate(4096).unwrap();
    assert_eq!(file.len().unwrap(), 8192);
    let mut bytes = [1; 8192];
    file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(bytes, [0; 8192]);
    assert!(disk.free_space().unwrap() > 0);
}

#[test]
fn written_bytes_are_read_back_and_the_end_of_the_file_is_an_error() {
    let (_directory, disk) = disk();
    let file = disk.create("a").unwrap();
    file.write_at(b"hello", 3).unwrap();
    file.sync_data().unwrap();
    file.drop_cache().unwrap();
    let mut bytes = [1; 8];
    file.read_at(&mut bytes, 0).unwrap();
    assert_eq!(&bytes, b"\0\0\0hello");
    assert_eq!(file.read_at(&mut bytes, 1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn what_the_device_has_begun_to_write_may_be_written_again_and_synced() {
    let (_directory, disk) = disk();
    let file = disk.create("a").unwrap();
    file.allocate(1 << 20).unwrap();
    file.write_at(&vec![1; 1 << 20], 0).unwrap();
    file.begin_writing(0..1 << 20);
    file.write_at(&[2; 4096], 4096).unwrap();
    file.begin_writing(0..u64::MAX);
    file.sync_data().unwrap();
    file.drop_cache().unwrap();
    let mut bytes = vec![0; 1 << 20];
    file.read_at(&mut bytes, 0).unwrap();
    assert!(bytes[4096..8192].iter().all(|byte| *byte == 2));
    assert!(bytes[..4096].iter().chain(&bytes[8192..]).all(|byte| *byte == 1));
}

#[test]
fn file_opened_for_reading_refuses_to_change() {
    let (_directory, disk) = disk();
    disk.create("a").unwrap();
    let file = disk.open("a", Access::Read).unwrap();
    assert_eq!(file.write_at(b"x", 0).unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(file.allocate(1).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn view_shows_bytes_that_another_handle_wrote_after_the_map_was_made() {
    let (_directory, disk) = disk();
    let writer = disk.create("a").unwrap();
    writer.allocate(4096).unwrap();
    writer.write_at(b"one", 0).unwrap();
    let reader = disk.open("a", Access::Read).unwrap();
    let one = reader.view(0..3).unwrap();
    writer.write_at(b"two", 3).unwrap();
    let two = reader.view(3..6).unwrap();
    assert_eq!((&*one, &*two), (&b"one"[..], &b"two"[..]));
}

#[test]
fn file_that_grew_is_viewed_to_its_new_end_and_old_views_live_on() {
    let (_directory, disk) = disk();
    let file = disk.create("a").unwrap();
    assert!(file.view(0..0).unwrap().is_empty());
    file.write_at(b"one", 0).unwrap();
    let one = file.view(0..3).unwrap();
    assert_eq!(file.view(0..4).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    file.write_at(&[7; 10_000], 4).unwrap();
    assert_eq!(file.view(0..10_004).unwrap()[4..], [7; 10_000]);
    assert_eq!(&*one, b"one");
}

#[test]
fn view_outlives_its_file_and_its_name() {
    let (_directory, disk) = disk();
    let file = disk.create("a").unwrap();
    file.write_at(b"kept", 0).unwrap();
    let view = file.view(1..4).unwrap();
    disk.remove("a").unwrap();
    drop(file);
    assert_eq!(&*view.clone(), b"ept");
}

#[test]
fn write_below_a_viewed_end_is_refused() {
    let (_directory, disk) = disk();
    let file = disk.create("a").unwrap();
    file.write_at(b"seen", 0).unwrap();
    let view = file.view(0..4).unwrap();
    assert_eq!(file.write_at(b"x", 3).unwrap_err().kind(), ErrorKind::InvalidInput);
    file.write_at(b"more", 4).unwrap();
    assert_eq!(&*view, b"seen");
}

#[test]
#[should_panic(expected = "without a directory")]
fn name_with_a_slash_is_a_mistake_of_ours() {
    let (_directory, disk) = disk();
    let _ = disk.open("../a", Access::Read);
}
