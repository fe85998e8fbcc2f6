//! Making a backup.

use super::course::check_course;
use super::entry::Entry;
use super::error::BackupError;
use super::held::held_log;
use super::manifest::BackupManifest;
use super::place::{Added, Place};
use super::source::Source;
use super::transfer::Meter;
use crate::disk::{Disk, RealDisk};
use crate::environment::Environment;
use crate::log::{Manifest, OpenError};
use crate::read::{Reader, verify_log};
use gesta_model::{Damage, Position};
use std::path::Path;

/// What a backup came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupReport {
    /// The backup holds every position below it.
    pub head: Position,
    /// Files that were added by a second name for the store's file.
    pub linked: u64,
    /// Files that were added by copying their bytes.
    pub copied: u64,
    /// Files that an earlier run had added.
    pub kept: u64,
    /// Bytes of the files that were added.
    pub added_bytes: u64,
    /// Bytes of all files of the backup.
    pub bytes: u64,
    /// Damage in what was added: the store has it as well.
    pub damage: Vec<Damage>,
}

/// Backs the store in a directory up into another one, beside whoever writes to it, without its lock and changing nothing.
///
/// What the log proves durable is in the backup. `progress` is told how many of how many bytes were added.
pub fn backup(
    store: impl AsRef<Path>,
    to: impl AsRef<Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackupReport, BackupError> {
    Reader::open(store)?.backup(to, progress)
}

impl Reader<RealDisk> {
    /// Backs up every event below the head into a directory, which is made when it is missing. A further run into the same
    /// directory adds only what is new.
    ///
    /// Of a reader beside a writer of the same process, everything that was acknowledged as durable before the call is in
    /// the backup. `progress` is told how many of how many bytes were added.
    pub fn backup(
        &self,
        to: impl AsRef<Path>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BackupReport, BackupError> {
        let to = to.as_ref();
        let failed = BackupError::io(to.display().to_string(), "cannot open or make the directory");
        self.backup_on(RealDisk::create(to).map_err(failed)?, progress)
    }
}

impl<D: Disk> Reader<D> {
    /// Backs up every event below the head onto a disk.
    pub fn backup_on(&self, to: D, progress: &mut dyn FnMut(u64, u64)) -> Result<BackupReport, BackupError> {
        let source = Source::of(self)?;
        let path = to.describe("");
        let place = Place::open(to, &store_manifest(&source)?)?;
        if let Some(held) = &place.held {
            check_course(&source, held, &path)?;
        }
        let mut report = BackupReport { head: source.head, ..BackupReport::default() };
        let entries = add_files(&source, &place, &mut report, progress)?;
        let manifest = BackupManifest {
            store: store_manifest(&source)?,
            head: source.head,
            taken_at: Environment::default().now(),
            entries,
        };
        report.damage = damage_in_new(&place, &manifest);
        place.finish(&manifest)?;
        Ok(report)
    }
}

/// Adds what is not there yet.
fn add_files<D: Disk>(
    source: &Source<D>,
    place: &Place<D>,
    report: &mut BackupReport,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Entry>, BackupError> {
    let kept: Vec<Option<Entry>> = source.wanted.iter().map(|wanted| place.kept(&wanted.entry)).collect();
    let missing = source.wanted.iter().zip(&kept).filter(|(_, kept)| kept.is_none());
    let mut meter = Meter::new(missing.map(|(wanted, _)| wanted.entry.length).sum(), progress);
    let mut entries = Vec::new();
    for (wanted, kept) in source.wanted.iter().zip(kept) {
        let (entry, added) = match kept {
            Some(entry) => (entry, Added::Kept),
            None => match place.add(source, wanted, &mut meter)? {
                Some(added) => added,
                None => continue,
            },
        };
        report.bytes += entry.length;
        match added {
            Added::Kept => report.kept += 1,
            Added::Linked => report.linked += 1,
            Added::Copied => report.copied += 1,
        }
        if added != Added::Kept {
            report.added_bytes += entry.length;
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The store's manifest as it belongs to the events below the head.
fn store_manifest<D: Disk>(source: &Source<D>) -> Result<Manifest, BackupError> {
    let path = || source.path.clone();
    let mut manifest = Manifest::load(&source.disk)?.ok_or_else(|| OpenError::NotFound { path: path() })?;
    // A life that began since may void what was given out beyond the head, and nothing below it.
    let is_cut =
        manifest.origin.lives.iter().any(|life| life.1 < source.head && !source.log.origin.lives.contains(life));
    if is_cut || manifest.truncate_at.is_some() || manifest.store_id != source.log.store_id {
        return Err(BackupError::Cut { path: path() });
    }
    manifest.durable_floor = source.head;
    Ok(manifest)
}

/// Walks over the segments of the backup from the first one on that this run has added.
fn damage_in_new<D: Disk>(place: &Place<D>, manifest: &BackupManifest) -> Vec<Damage> {
    let old = place.held.as_ref().map_or(&[][..], |held| &held.entries[..]);
    let is_old = |(ordinal, entry): &(usize, &Entry)| old.get(*ordinal) == Some(*entry);
    let new = manifest.entries.iter().enumerate().find(|numbered| !is_old(numbered));
    let first_number = new.map_or(u64::MAX, |(_, entry)| if entry.is_derived() { u64::MAX } else { entry.first });
    let log = held_log(&place.disk, manifest);
    let first = log.segments.load().list.partition_point(|segment| segment.number < first_number);
    verify_log(&log, &place.disk.describe(""), manifest.head, (first, false), &mut |_, _| {}).damage
}
