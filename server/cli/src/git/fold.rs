//! Events of a history, folded into the tree that they lead to.

use super::Tree;
use gesta::Record;
use serde::Deserialize;

/// The tree that the events so far lead to.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    tree: Tree,
}

/// What the fold needs of an event's data.
#[derive(Deserialize)]
struct FileData {
    path: String,
    blob: String,
    from: Option<String>,
}

impl Fold {
    /// Goes on by one event; one of another kind changes nothing.
    pub(crate) fn apply(&mut self, record: &Record<'_>) {
        if !record.event_type().starts_with("File") {
            return;
        }
        let Ok(FileData { path, blob, from }) = serde_json::from_slice(record.data().bytes()) else {
            return;
        };
        match record.event_type() {
            "FileAdded" | "FileModified" | "FileTypeChanged" => self.tree.insert(path, blob),
            "FileDeleted" => self.tree.remove(&path),
            "FileRenamed" => {
                from.and_then(|from| self.tree.remove(&from));
                self.tree.insert(path, blob)
            }
            _ => None,
        };
    }

    /// How many of the files in either tree are the same in both, and how many files that are.
    pub(crate) fn compare(&self, expected: &Tree) -> (usize, usize) {
        let matching = expected.iter().filter(|(path, object)| self.tree.get(*path) == Some(*object)).count();
        let surplus = self.tree.keys().filter(|path| !expected.contains_key(*path)).count();
        (matching, expected.len() + surplus)
    }
}
