//! The reserve: a file that takes some room while there is some, and gives it back when the disk is full, so that who the store
//! is can be written then as well. Opening and closing a store write its manifest anew; nothing else that they cannot do without
//! takes room, for segments are filled with zeros ahead.
//!
//! It is a hint: a store without one is whole, and nothing waits for it to survive a power cut.

use super::files::RESERVE;
use crate::disk::{Access, Disk, DiskFile};
use std::io;

/// Some blocks: a manifest takes one, beside the one that it replaces.
const RESERVE_BYTES: u64 = 16 << 10;
/// The least that is of use.
const BLOCK_BYTES: u64 = 4096;

/// Sees to it that the reserve is there, as much of it as there is room for.
pub(crate) fn keep_reserve<D: Disk>(disk: &D) {
    let open = |access| disk.open(RESERVE, access);
    if open(Access::Read).and_then(|file| file.len()).is_ok_and(|bytes| bytes >= RESERVE_BYTES) {
        return;
    }
    let file = open(Access::Write).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => disk.create(RESERVE),
        _ => Err(error),
    });
    let Ok(file) = file else { return };
    let mut bytes = RESERVE_BYTES;
    while bytes >= BLOCK_BYTES && file.allocate(bytes).is_err() {
        bytes /= 2;
    }
}

/// Does something that takes a little room; where there is none, again with the room of the reserve.
pub(crate) fn with_reserve<D: Disk, T>(disk: &D, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let is_full = |error: &io::Error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    let outcome = act();
    if !outcome.as_ref().is_err_and(is_full) || disk.remove(RESERVE).is_err() {
        return outcome;
    }
    // A file system with a journal frees what was removed once that is on the disk. If it fails, so does what follows.
    let _ = disk.sync_dir();
    let outcome = act();
    keep_reserve(disk);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SimulatedDisk;
    use std::cell::Cell;

    /// A disk with a reserve and no room.
    fn full() -> SimulatedDisk {
        let disk = SimulatedDisk::new(1);
        keep_reserve(&disk);
        assert_eq!(disk.image(RESERVE).len() as u64, RESERVE_BYTES);
        disk.set_capacity(Some(RESERVE_BYTES));
        disk
    }

    fn write(disk: &SimulatedDisk, name: &str, bytes: u64) -> io::Result<()> {
        let file = disk.open(name, Access::Write).or_else(|_| disk.create(name))?;
        file.allocate(bytes)
    }

    #[test]
    fn on_a_full_disk_there_is_room_for_what_is_needed_and_the_rest_is_kept_on() {
        let disk = full();
        assert_eq!(write(&disk, "manifest", 4096).unwrap_err().kind(), io::ErrorKind::StorageFull);
        with_reserve(&disk, || write(&disk, "manifest", 4096)).unwrap();
        assert_eq!(disk.image(RESERVE).len() as u64, RESERVE_BYTES / 2);
        assert_eq!(disk.free_space().unwrap(), 4096, "what is left is no half of it again");
        disk.set_capacity(None);
        keep_reserve(&disk);
        assert_eq!(disk.image(RESERVE).len() as u64, RESERVE_BYTES, "whole again when there is room");
    }

    #[test]
    fn what_needs_more_than_the_reserve_fails_and_the_reserve_is_kept() {
        let disk = full();
        let error = with_reserve(&disk, || write(&disk, "segment", 1 << 20)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(disk.image(RESERVE).len() as u64, RESERVE_BYTES);
    }

    #[test]
    fn another_error_than_a_full_disk_is_not_tried_again() {
        let (disk, tries) = (full(), Cell::new(0));
        let outcome: io::Result<()> = with_reserve(&disk, || {
            tries.set(tries.get() + 1);
            Err(io::ErrorKind::Other.into())
        });
        assert_eq!((outcome.unwrap_err().kind(), tries.get()), (io::ErrorKind::Other, 1));
    }
}
