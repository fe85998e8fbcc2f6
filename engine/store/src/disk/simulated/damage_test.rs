//! Damage reaches what is cached and what is durable.

use super::{CrashPlan, Granularity, Keep, SimulatedDisk};
use crate::disk::{Access, Disk, DiskFile};

/// The bytes after the damage, which must be the same before and after the cache is lost.
fn settled_image(disk: &SimulatedDisk, name: &str) -> Vec<u8> {
    let image = disk.image(name);
    disk.power_cut(&CrashPlan { seed: 0, keep: Keep::None, granularity: Granularity::Sector });
    assert_eq!(disk.image(name), image);
    image
}

fn disk_with(name: &str, bytes: &[u8]) -> SimulatedDisk {
    let disk = SimulatedDisk::new(0);
    disk.restore(name, bytes.to_vec());
    disk
}

#[test]
fn flipped_zeroed_and_overwritten_bytes_are_durable() {
    let disk = disk_with("a", b"abcdefgh");
    disk.flip_bit("a", 1, 0);
    disk.zero("a", 2..4);
    disk.overwrite("a", 6, b"XY");
    assert_eq!(settled_image(&disk, "a"), b"ac\0\0efXY");
}

#[test]
fn bytes_are_copied_to_where_they_do_not_belong() {
    let disk = disk_with("a", b"abcdefgh");
    disk.restore("b", vec![0; 4]);
    disk.copy_within("a", 0..2, "b", 1);
    disk.copy_within("a", 0..2, "a", 1);
    assert_eq!(settled_image(&disk, "b"), b"\0ab\0");
    assert_eq!(settled_image(&disk, "a"), b"aabdefgh");
}

#[test]
fn stale_copy_is_put_back_over_pending_writes() {
    let disk = disk_with("a", b"old");
    let stale = disk.image("a");
    let file = disk.open("a", Access::Write).unwrap();
    file.write_at(b"newer", 0).unwrap();
    disk.restore("a", stale);
    assert_eq!(settled_image(&disk, "a"), b"old");
}

#[test]
fn truncated_file_is_short_and_a_deleted_one_is_gone() {
    let disk = disk_with("a", b"abcdefgh");
    disk.truncate("a", 3);
    assert_eq!(settled_image(&disk, "a"), b"abc");
    disk.restore("b", vec![]);
    disk.delete("a");
    settled_image(&disk, "b");
    assert_eq!(disk.file_names(), ["b"]);
}

#[test]
#[should_panic(expected = "has no file missing")]
fn damage_to_a_missing_file_is_a_mistake_of_the_test() {
    SimulatedDisk::new(0).flip_bit("missing", 0, 0);
}
