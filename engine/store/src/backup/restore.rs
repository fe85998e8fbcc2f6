//! Making a store of a backup.

use super::entry::{Entry, Kind};
use super::error::RestoreError;
use super::manifest::BackupManifest;
use super::transfer::{Meter, copy};
use super::verify::{load, open};
use crate::disk::{Access, Disk, DiskFile, RealDisk};
use crate::environment::Environment;
use crate::log::{Ground, Manifest, appear, fill_with_zeros, is_vacant};
use crate::read::Reader;
use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentHeader};
use gesta_model::{Incarnation, Position, Timestamp};
use std::io;
use std::path::Path;

/// How far the lives of a restored store are beyond those of the backup where the clock does not help.
const LIVES_APART: u32 = 1 << 16;

/// Makes a store of the backup `from` in the directory `to`, which must be empty or missing; returns the store's head.
///
/// Every file is checked against its digest on the way; after a failure, nothing that was made is left in `to`. An index file that
/// is damaged is left out: the store makes it anew. The store is the same one at an earlier time, with the same id: whatever
/// position its former self gave out beyond the head is lost, and [`Store::is_lost`](crate::Store::is_lost) says so. `progress` is
/// told how many of how many bytes were copied.
pub fn restore(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Position, RestoreError> {
    let backup = open(from.as_ref())?;
    // Before anything is made.
    load(&backup)?;
    let to = to.as_ref();
    let existed = is_vacant(to)?;
    let failed = RestoreError::io(to.display().to_string(), "cannot open or make the directory");
    let disk = RealDisk::create(to).map_err(failed)?;
    let restored = restore_on(&backup, &disk, progress);
    if restored.is_err() && !existed {
        // Should it fail, or hold something after all, the directory is left, into which the next try restores.
        let _ = std::fs::remove_dir(to);
    }
    restored
}

/// Makes a store of a backup on a disk that holds nothing, as [`restore`] does. Until it is whole, the disk holds no store: its
/// manifest is written last.
pub fn restore_on<D: Disk>(backup: &D, disk: &D, progress: &mut dyn FnMut(u64, u64)) -> Result<Position, RestoreError> {
    let ground = Ground::take(disk)?;
    let restored = loop {
        let manifest = load(backup)?;
        let restored = restore_files(backup, &manifest, disk, progress);
        // A run of `backup` that has finished meanwhile has taken away what the earlier manifest names.
        if restored.is_ok() || manifest.is_current(backup) {
            break restored;
        }
        ground.clear();
    };
    if restored.is_err() {
        ground.leave();
    }
    restored
}

fn restore_files<D: Disk>(
    backup: &D,
    manifest: &BackupManifest,
    disk: &D,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Position, RestoreError> {
    let mut meter = Meter::new(manifest.entries.iter().map(|entry| entry.length).sum(), progress);
    for entry in &manifest.entries {
        match restore_file(backup, entry, disk, &mut meter) {
            Err(RestoreError::Damaged { .. }) if entry.is_derived() => leave_out(disk, &entry.store_name())?,
            restored => restored?,
        }
    }
    let mut store: Manifest = manifest.store.clone();
    store.incarnation = life_before(store.incarnation, Environment::default().now());
    let failed = RestoreError::io(disk.describe(""), "cannot write the manifest");
    store.store(disk).map_err(failed)?;
    // Segments of two times, each as it was backed up, would be found here.
    Ok(Reader::open_on(disk.clone())?.head())
}

/// Takes a damaged file away that nothing depends on.
fn leave_out<D: Disk>(disk: &D, name: &str) -> Result<(), RestoreError> {
    match disk.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(RestoreError::io(disk.describe(name), "cannot remove the damaged file")(error))
        }
        _ => Ok(()),
    }
}

/// The life that a restored store has behind it: later than any that the store may have had since the backup, in this place
/// or restored before. Openings are fewer than seconds, so the time in seconds is such a number.
fn life_before(of_backup: Incarnation, now: Timestamp) -> Incarnation {
    let seconds = u32::try_from(now.0 / 1_000_000_000).unwrap_or_default();
    if seconds > of_backup.0 { Incarnation(seconds) } else { Incarnation(of_backup.0.saturating_add(LIVES_APART)) }
}

fn restore_file<D: Disk>(backup: &D, entry: &Entry, disk: &D, meter: &mut Meter<'_>) -> Result<(), RestoreError> {
    let (path, name) = (backup.describe(&entry.name()), entry.store_name());
    let damaged = |what: String| RestoreError::Damaged { path: path.clone(), what };
    let failed = || RestoreError::io(path.clone(), "cannot read the file");
    let file = match backup.open(&entry.name(), Access::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("the file is missing".to_owned())),
        outcome => outcome.map_err(failed())?,
    };
    let length = file.len().map_err(failed())?;
    if length != entry.length {
        return Err(damaged(format!("the file is {length} bytes long instead of {}", entry.length)));
    }
    let mut segment_bytes = length;
    if entry.kind == Kind::Tail {
        let mut page = [0; HEADER_PAGE_BYTES];
        file.read_at(&mut page, 0).map_err(failed())?;
        let header = SegmentHeader::decode(&page).map_err(|error| damaged(error.to_string()))?;
        segment_bytes = header.segment_bytes.max(length);
    }
    let mut digest = 0;
    appear(disk, &name, |to| {
        to.allocate(segment_bytes)?;
        digest = copy(&file, to, length, meter)?;
        fill_with_zeros(to, length, segment_bytes)
    })
    .map_err(RestoreError::io(disk.describe(&name), "cannot copy the file"))?;
    if digest == entry.digest {
        Ok(())
    } else {
        Err(damaged("it is not what was backed up: its digest differs".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_store_lives_later_than_any_life_since_the_backup() {
        let at = |seconds: i64| Timestamp(seconds * 1_000_000_000);
        assert_eq!(life_before(Incarnation(3), at(1_800_000_000)), Incarnation(1_800_000_000));
        // Restored before, and backed up again since.
        assert_eq!(life_before(Incarnation(1_800_000_002), at(1_800_000_060)), Incarnation(1_800_000_060));
        // A clock that was set back, or runs out.
        assert_eq!(life_before(Incarnation(1_800_000_000), at(5)), Incarnation(1_800_065_536));
        assert_eq!(life_before(Incarnation(3), at(-5)), Incarnation(65_539));
        assert_eq!(life_before(Incarnation(3), at(5_000_000_000)), Incarnation(65_539));
        assert_eq!(life_before(Incarnation(u32::MAX - 1), at(5)), Incarnation(u32::MAX));
    }
}
