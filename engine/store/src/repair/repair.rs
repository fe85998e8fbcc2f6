//! The verb: a new store of what is left of a damaged one.

use super::error::RepairError;
use super::rebuild::rebuild;
use super::report::RepairReport;
use super::survey::Survey;
use crate::disk::{Disk, RealDisk};
use crate::log::{Ground, LOCK, Manifest, OpenError, Remains, is_vacant, load_manifest};
use crate::read::Reader;
use std::io::ErrorKind;
use std::path::Path;

/// Makes a new store of everything that is left of the store `from`, in the directory `into`, which must be empty or missing.
///
/// Every event that can be read has its position, revision, id, time and bytes in the new store. At each position whose event
/// is lost stands an event of the type [`LOST_EVENT_TYPE`](super::LOST_EVENT_TYPE), in the stream and at the revision that
/// later events of the stream show to be missing, where they do. Of a store in which nothing is damaged, none is made.
///
/// `from` is read under its writer's lock, and nothing in it is changed. After a failure nothing that was made is left in
/// `into`. `progress` is told how much of all that is to be read was read, in bytes.
pub fn repair(
    from: impl AsRef<Path>,
    into: impl AsRef<Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<RepairReport, RepairError> {
    let (from, into) = (from.as_ref(), into.as_ref());
    let damaged = RealDisk::open(from).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => OpenError::NotFound { path: from.display().to_string() },
        _ => OpenError::io(from.display().to_string(), "cannot open the directory")(error),
    })?;
    // Before anything is made.
    load_manifest(&damaged)?;
    let existed = is_vacant(into)?;
    let failed = RepairError::io(into.display().to_string(), "cannot open or make the directory");
    let repaired = repair_on(&damaged, &RealDisk::create(into).map_err(failed)?, progress);
    if !existed && !repaired.as_ref().is_ok_and(|report| report.made.is_some()) {
        // Should it fail, or hold something after all, the directory is left, into which the next try repairs.
        let _ = std::fs::remove_dir(into);
    }
    repaired
}

/// Makes a new store of what is left of the one on the disk `from`, on a disk that holds nothing, as [`repair`] does. Until it is
/// whole, that disk holds no store: its manifest is written last.
pub fn repair_on<D: Disk>(from: &D, into: &D, progress: &mut dyn FnMut(u64, u64)) -> Result<RepairReport, RepairError> {
    load_manifest(from)?;
    let _lock = lock(from)?;
    // Whoever held the lock until now may have changed the manifest.
    let remains = Remains::of(from, load_manifest(from)?)?;
    let ground = Ground::take(into)?;
    let report = repair_onto(&remains, (from, into), progress);
    if !report.as_ref().is_ok_and(|report| report.made.is_some()) {
        ground.leave();
    }
    report
}

/// Keeps writers out. Nobody writes to a file system that cannot be written, and there is no lock to be had.
fn lock<D: Disk>(disk: &D) -> Result<Option<D::Lock>, OpenError> {
    let path = || disk.describe(LOCK);
    match disk.lock(LOCK) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(OpenError::Locked { path: path() }),
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => Ok(None),
        Err(error) => Err(OpenError::io(path(), "cannot lock the store")(error)),
    }
}

fn repair_onto<D: Disk>(
    remains: &Remains<D>,
    (from, into): (&D, &D),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<RepairReport, RepairError> {
    let path = from.describe("");
    let survey = Survey::of(remains, &path, &mut |done, total| progress(done, 2 * total))?;
    let mut report = RepairReport {
        made: None,
        head: remains.head,
        salvaged: survey.salvaged,
        salvaged_bytes: survey.salvaged_bytes,
        missing: survey.lost().map(|damage| damage.positions.end.since(damage.positions.start)).sum(),
        in_streams: 0,
        damage: survey.damage.clone(),
        doubtful_end: remains.doubtful_end.clone(),
    };
    if report.damage.is_empty() {
        return Ok(report);
    }
    let mut show = |done: u64, total: u64| progress(total + done, 2 * total);
    let (mut manifest, in_streams) = rebuild(remains, &survey, (&path, into), &mut show)?;
    report.in_streams = in_streams;
    store(&mut manifest, into)?;
    report.made = Some(manifest.store_id);
    Ok(report)
}

/// Makes a store of what was written.
fn store<D: Disk>(manifest: &mut Manifest, disk: &D) -> Result<(), RepairError> {
    manifest.store(disk).map_err(RepairError::io(disk.describe(""), "cannot write the manifest"))?;
    match Reader::open_on(disk.clone()).map(|reader| reader.head()) {
        Ok(head) => {
            assert_eq!(head, manifest.durable_floor, "the new store holds every position");
            Ok(())
        }
        Err(error) => Err(RepairError::Made(error)),
    }
}
