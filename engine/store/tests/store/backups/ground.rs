//! A store with its backups, and looking at them.

use crate::support::{request, small_options, texts};
use gesta::{BackupReport, Durability, Position, Read, Reader, RestoreError, Store, backup, restore};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory for a store and its backups.
pub(crate) struct Ground {
    directory: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(self.path("store"), small_options()).unwrap()
    }

    /// A closed store with some segments, and a backup of it.
    pub(crate) fn backed_up() -> Self {
        let ground = Self::new();
        let store = ground.store();
        append(&store, 0..60);
        store.close().unwrap();
        back_up(&ground.path("store"), &ground.path("backup"));
        ground
    }

    pub(crate) fn restored(&self, from: &str, to: &str) -> Result<Position, RestoreError> {
        restore(self.path(from), self.path(to), &mut |_, _| {})
    }
}

/// Events of 500 bytes or so, so that a few fill a segment.
pub(crate) fn append(store: &Store, numbers: std::ops::Range<u64>) {
    for number in numbers {
        store.append(request("s", &[&filled(number)], Durability::Durable)).unwrap();
    }
}

pub(crate) fn filled(number: u64) -> String {
    format!("{number:0500}")
}

#[track_caller]
pub(crate) fn back_up(store: &Path, to: &Path) -> BackupReport {
    let report = backup(store, to, &mut |_, _| {}).unwrap();
    assert_eq!(report.damage, [], "no damage in {}", store.display());
    report
}

pub(crate) fn events(store: &Path) -> Vec<String> {
    texts(Reader::open(store).unwrap().read(Read::all())).unwrap()
}

pub(crate) fn numbers(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(filled).collect()
}

/// Every file of a directory, its name and content.
pub(crate) fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

/// The files of a backup that hold the store's bytes.
pub(crate) fn content_files(backup: &Path) -> Vec<String> {
    contents(backup).into_keys().filter(|name| !["lock", "backup", "backup.copy"].contains(&name.as_str())).collect()
}

/// Gives a file other content, without writing into the store's by their common inode.
pub(crate) fn replace(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
}
