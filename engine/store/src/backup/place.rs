//! The directory of a backup, while one is made there.

use super::entry::{Entry, Kind, is_content_name, is_head_name};
use super::error::BackupError;
use super::manifest::{BackupManifest, Held};
use super::source::{Source, Wanted};
use super::transfer::{Meter, copy, digest};
use crate::disk::{Access, Disk, DiskFile};
use crate::log::{BACKUP_BEGUN, BACKUPS, LOCK, Manifest, appear, are_of_a_backup};
use gesta_model::{Position, Timestamp};
use std::collections::HashSet;
use std::io;
use std::path::Path;

/// Whether there is a backup in a directory, whole or begun. What cannot be listed is none.
#[must_use]
pub fn is_backup(path: impl AsRef<Path>) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    are_of_a_backup(&names)
}

/// How a file came into the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It was there.
    Kept,
    /// By a second name for the store's file.
    Linked,
    /// By its bytes.
    Copied,
}

/// A directory that a backup is made in, by this process alone.
pub(super) struct Place<D: Disk> {
    pub(super) disk: D,
    /// What an earlier run finished.
    pub(super) held: Option<BackupManifest>,
    _lock: D::Lock,
}

impl<D: Disk> Place<D> {
    /// Takes a directory for a backup of a store. Refuses one that holds anything else, and changes nothing in it then.
    pub(super) fn open(disk: D, store: &Manifest) -> Result<Self, BackupError> {
        let path = disk.describe("");
        Self::check_names(&disk)?;
        let lock = disk.lock(LOCK).map_err(BackupError::io(disk.describe(LOCK), "cannot lock the backup"))?;
        let lock = lock.ok_or_else(|| BackupError::Busy { path: disk.describe(LOCK) })?;
        let held = BackupManifest::load(&disk);
        let held =
            match held.map_err(BackupError::io(disk.describe(BACKUPS[0]), "cannot read what the backup holds"))? {
                Held::Damaged { name, what } => return Err(BackupError::Damaged { path: disk.describe(name), what }),
                Held::Begun(other) | Held::Whole(other) if other.store.store_id != store.store_id => {
                    return Err(BackupError::OtherStore { path, held: other.store.store_id });
                }
                Held::Whole(held) => Some(held),
                Held::Begun(_) => None,
                Held::Nothing => {
                    let begun = BackupManifest {
                        store: store.clone(),
                        head: Position::START,
                        taken_at: Timestamp(0),
                        entries: Vec::new(),
                    };
                    let failed = BackupError::io(disk.describe(BACKUP_BEGUN), "cannot write into the directory");
                    begun.begin(&disk).map_err(failed)?;
                    None
                }
            };
        Ok(Self { disk, held, _lock: lock })
    }

    /// Whether every file there is a backup's. Segments alone may be a store's that has lost its manifest.
    fn check_names(disk: &D) -> Result<(), BackupError> {
        let names = disk.list().map_err(BackupError::io(disk.describe(""), "cannot list the directory"))?;
        let is_ours = are_of_a_backup(&names);
        let foreign = names.iter().find(|name| !(is_head_name(name) || (is_ours && is_content_name(name))));
        match foreign {
            Some(found) => Err(BackupError::Occupied { path: disk.describe(""), found: found.clone() }),
            None => Ok(()),
        }
    }

    /// The entry of a file that an earlier run has added and that still has its length. So what is added never takes the
    /// name of a file that the backup holds, unless that one is damaged.
    pub(super) fn kept(&self, wanted: &Entry) -> Option<Entry> {
        let held = self.held.as_ref()?.entries.iter().find(|held| held.is_as_good_as(wanted))?;
        let length = self.disk.open(&held.name(), Access::Read).and_then(|file| file.len());
        length.is_ok_and(|length| length == held.length).then_some(*held)
    }

    /// Adds a file, durable but for its name; tells its length and digest. `None` of an index file that is gone.
    pub(super) fn add(
        &self,
        source: &Source<D>,
        wanted: &Wanted<D>,
        meter: &mut Meter<'_>,
    ) -> Result<Option<(Entry, Added)>, BackupError> {
        let entry = wanted.entry;
        let name = entry.name();
        match self.try_add(source, wanted, &name, meter) {
            Ok((length, digest, added)) => Ok(Some((Entry { length, digest, ..entry }, added))),
            // The store has made it anew, or removes it: nothing depends on it.
            Err(error) if entry.is_derived() && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BackupError::io(self.disk.describe(&name), "cannot add the file")(error)),
        }
    }

    fn try_add(
        &self,
        source: &Source<D>,
        wanted: &Wanted<D>,
        name: &str,
        meter: &mut Meter<'_>,
    ) -> io::Result<(u64, u128, Added)> {
        let mut length = wanted.entry.length;
        if wanted.entry.kind != Kind::Tail && self.link(source, &wanted.entry, name)? {
            let file = self.disk.open(name, Access::Read)?;
            file.sync_data()?;
            length = file.len()?;
            return Ok((length, digest(&file, length, meter)?, Added::Linked));
        }
        let mut digest = 0;
        appear(&self.disk, name, |file| {
            digest = wanted.with_file(&source.disk, |from| {
                if wanted.entry.is_derived() {
                    length = from.len()?;
                }
                file.allocate(length)?;
                copy(from, file, length, meter)
            })?;
            Ok(())
        })?;
        Ok((length, digest, Added::Copied))
    }

    /// Links a file, over one that an interrupted run left or that is damaged.
    fn link(&self, source: &Source<D>, entry: &Entry, name: &str) -> io::Result<bool> {
        match source.disk.link(&entry.store_name(), &self.disk, name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(name)?;
                source.disk.link(&entry.store_name(), &self.disk, name)
            }
            outcome => outcome,
        }
    }

    /// Makes the backup whole: from here on it holds what the manifest says, and nothing else.
    pub(super) fn finish(&self, manifest: &BackupManifest) -> Result<(), BackupError> {
        let failed = |what| BackupError::io(self.disk.describe(BACKUPS[0]), what);
        self.disk.sync_dir().map_err(failed("cannot sync the directory"))?;
        manifest.store(&self.disk).map_err(failed("cannot write what the backup holds"))?;
        self.remove_others(manifest).map_err(failed("cannot remove what an earlier run left"))
    }

    fn remove_others(&self, manifest: &BackupManifest) -> io::Result<()> {
        let listed: HashSet<String> = manifest.entries.iter().map(Entry::name).collect();
        for name in self.disk.list()? {
            if name == BACKUP_BEGUN || (is_content_name(&name) && !listed.contains(&name)) {
                self.disk.remove(&name)?;
            }
        }
        self.disk.sync_dir()
    }
}
