//! The directory that both sides write to.

use crate::outcome::Outcome;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory of its own for one round, gone with it.
#[derive(Debug)]
pub struct Place {
    directory: TempDir,
    parent: PathBuf,
}

impl Place {
    /// A new directory below `parent`.
    pub fn new(parent: &Path) -> Outcome<Self> {
        let directory = tempfile::Builder::new().prefix("gesta-bench-").tempdir_in(parent)?;
        Ok(Self { directory, parent: parent.to_owned() })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Removes it and waits until the file system has noted that, so that the next round does not pay for it.
    pub fn remove(self) -> Outcome<()> {
        self.directory.close()?;
        File::open(&self.parent)?.sync_all()?;
        Ok(())
    }
}

/// The kind of file system that holds a directory, as the mount table names it; empty when there is no such table.
#[must_use]
pub fn file_system(directory: &Path) -> String {
    let Ok(directory) = directory.canonicalize() else { return String::new() };
    let table = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = table.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((PathBuf::from(words.nth(1)?), words.next()?))
    });
    let around = mounts.filter(|(at, _)| directory.starts_with(at));
    // Later mounts hide earlier ones at the same place.
    let kind = around.max_by_key(|(at, _)| at.components().count()).map(|(_, kind)| kind);
    kind.unwrap_or_default().to_owned()
}
