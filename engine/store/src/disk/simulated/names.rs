//! The directory: which name stands for which file, now and after a power cut.
//!
//! Changes take effect at once and are pending until the directory is synced. Invariant: the durable names with all
//! pending changes applied in order are the cached names.

use std::collections::{BTreeMap, BTreeSet};

use super::crash::CrashPlan;
use super::random::Random;

/// A file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(pub(super) u64);

/// The names of a directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    cached: BTreeMap<String, FileId>,
    durable: BTreeMap<String, FileId>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Create { name: String, file: FileId },
    Rename { file: FileId, to: String },
    Remove { name: String, file: FileId },
}

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<FileId> {
        self.cached.get(name).copied()
    }

    pub(super) fn name_of(&self, file: FileId) -> Option<&str> {
        self.cached.iter().find_map(|(name, named)| (*named == file).then_some(name.as_str()))
    }

    pub(super) fn list(&self) -> Vec<String> {
        self.cached.keys().cloned().collect()
    }

    /// The files that have a name now.
    pub(super) fn files(&self) -> impl Iterator<Item = FileId> + '_ {
        self.cached.values().copied()
    }

    /// The files that have a name now or may have one after a power cut.
    pub(super) fn reachable_files(&self) -> BTreeSet<FileId> {
        let pending = self.pending.iter().map(|change| match change {
            Change::Create { file, .. } | Change::Rename { file, .. } | Change::Remove { file, .. } => *file,
        });
        self.files().chain(self.durable.values().copied()).chain(pending).collect()
    }

    pub(super) fn create(&mut self, name: &str, file: FileId) {
        self.change(Change::Create { name: name.to_owned(), file });
    }

    pub(super) fn rename(&mut self, file: FileId, to: &str) {
        self.change(Change::Rename { file, to: to.to_owned() });
    }

    pub(super) fn remove(&mut self, name: &str, file: FileId) {
        self.change(Change::Remove { name: name.to_owned(), file });
    }

    /// Makes every change so far durable.
    pub(super) fn sync(&mut self) {
        self.durable.clone_from(&self.cached);
        self.pending.clear();
    }

    /// Any subset of the pending changes has reached the device, in the order in which they were made. A rename is one
    /// change: its file has the old name or the new one.
    pub(super) fn power_cut(&mut self, plan: &CrashPlan, random: &mut Random) {
        let pending = std::mem::take(&mut self.pending);
        let survivors = plan.survivors(pending.len(), random);
        for (change, _) in pending.iter().zip(survivors).filter(|(_, survives)| *survives) {
            change.apply(&mut self.durable);
        }
        self.cached.clone_from(&self.durable);
    }

    /// Gives a file a name, durably and without a trace.
    pub(super) fn plant(&mut self, name: &str, file: FileId) {
        self.cached.insert(name.to_owned(), file);
        self.durable.insert(name.to_owned(), file);
    }

    /// Takes a file's every name away, durably and without a trace.
    pub(super) fn wipe(&mut self, file: FileId) {
        self.cached.retain(|_, named| *named != file);
        self.durable.retain(|_, named| *named != file);
        self.pending.retain(|change| match change {
            Change::Create { file: changed, .. }
            | Change::Rename { file: changed, .. }
            | Change::Remove { file: changed, .. } => *changed != file,
        });
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }
}

impl Change {
    /// Applies the change to names that may lack the changes before it.
    fn apply(&self, names: &mut BTreeMap<String, FileId>) {
        match self {
            Self::Create { name, file } => {
                names.insert(name.clone(), *file);
            }
            Self::Rename { file, to } => {
                // Whatever the file was called: there are no two names for one file.
                names.retain(|_, named| named != file);
                names.insert(to.clone(), *file);
            }
            Self::Remove { name, file } => {
                if names.get(name) == Some(file) {
                    names.remove(name);
                }
            }
        }
    }
}
