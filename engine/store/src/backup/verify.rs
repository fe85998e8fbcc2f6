//! Whether a backup is what was written.

use super::error::RestoreError;
use super::held::held_log;
use super::manifest::{BackupManifest, Held};
use super::transfer::{Meter, digest};
use crate::disk::{Access, Disk, DiskFile, RealDisk};
use crate::log::BACKUPS;
use crate::read::{VerifyReport, verify_log};
use gesta_model::{Damage, Position, Timestamp};
use std::io;
use std::path::Path;

/// What reading every byte of a backup found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupVerification {
    /// The backup holds every position below it.
    pub head: Position,
    /// When it was finished.
    pub taken_at: Timestamp,
    /// What is whole, and what is damaged: first files that are not what was added, with the empty range at position 0, then
    /// places of the log, with the positions that are lost.
    pub report: VerifyReport,
}

/// Reads every byte of a backup: each file against its digest, then the log itself; `deep` also checks each event's place
/// and names.
///
/// `progress` is told how many of how many bytes were read.
pub fn verify_backup(
    path: impl AsRef<Path>,
    deep: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackupVerification, RestoreError> {
    verify_backup_on(&open(path.as_ref())?, deep, progress)
}

/// Opens the directory of a backup.
pub(super) fn open(path: &Path) -> Result<RealDisk, RestoreError> {
    RealDisk::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            RestoreError::NotFound { path: path.display().to_string() }
        }
        _ => RestoreError::io(path.display().to_string(), "cannot open the directory")(error),
    })
}

/// The manifest of a backup that is whole.
pub(super) fn load<D: Disk>(disk: &D) -> Result<BackupManifest, RestoreError> {
    let failed = RestoreError::io(disk.describe(BACKUPS[0]), "cannot read what the backup holds");
    match BackupManifest::load(disk).map_err(failed)? {
        Held::Whole(manifest) => Ok(manifest),
        Held::Begun(_) => Err(RestoreError::Partial { path: disk.describe("") }),
        Held::Damaged { name, what } => Err(RestoreError::Damaged { path: disk.describe(name), what }),
        Held::Nothing => Err(RestoreError::NotFound { path: disk.describe("") }),
    }
}

/// Reads every byte of a backup on a disk, as [`verify_backup`] does.
pub fn verify_backup_on<D: Disk>(
    disk: &D,
    deep: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackupVerification, RestoreError> {
    loop {
        let manifest = load(disk)?;
        let verified = verify_files(disk, &manifest, deep, progress);
        // A run of `backup` that has finished meanwhile has taken away what the earlier manifest names.
        if verified.report.damage.is_empty() || manifest.is_current(disk) {
            return Ok(verified);
        }
    }
}

fn verify_files<D: Disk>(
    disk: &D,
    manifest: &BackupManifest,
    deep: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> BackupVerification {
    let log = held_log(disk, manifest);
    let log_bytes: u64 = log.segments.load().list.iter().map(|segment| segment.published_bytes()).sum();
    let file_bytes: u64 = manifest.entries.iter().map(|entry| entry.length).sum();
    let total = file_bytes + log_bytes;
    let mut damage = damaged_copies(disk);
    let mut show = |done: u64, _: u64| progress(done, total);
    let mut meter = Meter::new(file_bytes, &mut show);
    for entry in &manifest.entries {
        let what = disk.open(&entry.name(), Access::Read).and_then(|file| {
            let length = file.len()?;
            if length != entry.length {
                return Ok(Some(format!("the file is {length} bytes long instead of {}", entry.length)));
            }
            let is_same = digest(&file, length, &mut meter)? == entry.digest;
            Ok((!is_same).then(|| "the file is not what was backed up: its digest differs".to_owned()))
        });
        let what = what.unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Some("the file is missing".to_owned()),
            _ => Some(format!("the file cannot be read: {error}")),
        });
        damage.extend(what.map(|what| damaged_file(disk, &entry.name(), what)));
    }
    let mut show = |done: u64, _: u64| progress(file_bytes + done, total);
    let mut report = verify_log(&log, &disk.describe(""), manifest.head, (0, deep), &mut show);
    damage.append(&mut report.damage);
    report.damage = damage;
    BackupVerification { head: manifest.head, taken_at: manifest.taken_at, report }
}

/// The copies of the manifest that are there and cannot be read.
fn damaged_copies<D: Disk>(disk: &D) -> Vec<Damage> {
    let damaged = BACKUPS.iter().filter_map(|name| {
        let what = match BackupManifest::read(disk, name) {
            Ok(None | Some(Ok(_))) => return None,
            Ok(Some(Err(what))) => what,
            Err(error) => format!("the file cannot be read: {error}"),
        };
        Some(damaged_file(disk, name, what))
    });
    damaged.collect()
}

/// Damage of a file as a whole. Which positions are lost by it, the walk over the log tells.
fn damaged_file<D: Disk>(disk: &D, name: &str, what: String) -> Damage {
    Damage { file: disk.describe(name), offset: 0, positions: Position::START..Position::START, what }
}
