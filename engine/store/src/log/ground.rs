//! A directory with nothing in it, on which a store is made of something else: a backup, or what is left of a store.

use super::files::{LOCK, is_log_file};
use crate::disk::Disk;
use std::io;
use std::path::Path;

/// Why a directory cannot be used.
#[derive(Debug)]
pub(crate) enum NotVacant {
    /// It holds something.
    Holds {
        /// The directory.
        path: String,
        /// What it holds.
        found: String,
    },
    /// The disk failed.
    Io {
        /// The file or directory.
        path: String,
        /// What was tried.
        what: &'static str,
        /// What the disk said.
        error: io::Error,
    },
}

/// Whether the directory exists; refuses one that holds anything, be it what no store would make.
pub(crate) fn is_vacant(path: &Path) -> Result<bool, NotVacant> {
    let failed = |error| NotVacant::Io { path: path.display().to_string(), what: "cannot list the directory", error };
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        outcome => outcome.map_err(failed)?,
    };
    for entry in entries {
        let found = entry.map_err(failed)?.file_name();
        if found != LOCK {
            let found = found.to_string_lossy().into_owned();
            return Err(NotVacant::Holds { path: path.display().to_string(), found });
        }
    }
    Ok(true)
}

/// A disk with nothing on it, held by the lock of a store's writer, so that nobody makes a store there meanwhile.
pub(crate) struct Ground<'d, D: Disk> {
    disk: &'d D,
    _lock: D::Lock,
}

impl<'d, D: Disk> Ground<'d, D> {
    /// Takes a disk that holds nothing.
    pub(crate) fn take(disk: &'d D) -> Result<Self, NotVacant> {
        let path = || disk.describe("");
        let occupied = |found: String| NotVacant::Holds { path: path(), found };
        let vacant = || {
            let failed = |error| NotVacant::Io { path: path(), what: "cannot list the directory", error };
            let names = disk.list().map_err(failed)?;
            names.into_iter().find(|name| name != LOCK).map_or(Ok(()), |found| Err(occupied(found)))
        };
        // Before the lock, which is a file, and after it.
        vacant()?;
        let failed = |error| NotVacant::Io { path: disk.describe(LOCK), what: "cannot lock the directory", error };
        let lock = disk.lock(LOCK).map_err(failed)?;
        let lock = lock.ok_or_else(|| occupied(LOCK.to_owned()))?;
        vacant()?;
        Ok(Self { disk, _lock: lock })
    }

    /// Takes away what was made. The first error is the one to tell of.
    pub(crate) fn clear(&self) {
        for name in self.disk.list().unwrap_or_default() {
            if name != LOCK && is_log_file(&name) {
                let _ = self.disk.remove(&name);
            }
        }
    }

    /// Takes away what was made, and the lock's file.
    pub(crate) fn leave(self) {
        self.clear();
        let _ = self.disk.remove(LOCK);
    }
}
