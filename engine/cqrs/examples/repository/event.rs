//! What happens to a file: the events of the history.

use gesta_cqrs::{DomainEvent, Labels, Recorded, UnknownType};
use serde::{Deserialize, Serialize};

/// A commit has changed a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "the names are the types of the events")]
pub(crate) enum FileEvent {
    FileAdded(Change),
    FileModified(Change),
    FileTypeChanged(Change),
    FileDeleted(Change),
    FileRenamed(Rename),
}

/// What a commit does to a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Which file.
    pub(crate) path: String,
    /// The hash of the commit.
    pub(crate) commit: String,
    /// The hash of the file's content after it.
    pub(crate) blob: String,
    /// Lines that came; unknown where git does not count them.
    pub(crate) added: Option<u64>,
    /// Lines that went.
    pub(crate) removed: Option<u64>,
}

/// A file that has another path, and perhaps another content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rename {
    /// The path that is no more.
    pub(crate) from: String,
    #[serde(flatten)]
    pub(crate) change: Change,
}

impl FileEvent {
    /// What the commit does, whatever its kind.
    pub(crate) fn change(&self) -> &Change {
        match self {
            Self::FileAdded(change)
            | Self::FileModified(change)
            | Self::FileTypeChanged(change)
            | Self::FileDeleted(change)
            | Self::FileRenamed(Rename { change, .. }) => change,
        }
    }
}

impl Change {
    /// The folder that its churn counts for: the path's first part, or `.` for files that lie in none.
    pub(crate) fn folder(&self) -> &str {
        self.path.split_once('/').map_or(".", |(folder, _)| folder)
    }
}

impl DomainEvent for FileEvent {
    /// A store may hold more than one history.
    const UNKNOWN: UnknownType = UnknownType::Skip;

    fn describe(&self, labels: &mut Labels) {
        let Change { path, commit, .. } = self.change();
        labels.stream("file", path).tag("commit", commit);
    }
}

/// Who made a commit: the tag `author` has it, as the history hides names.
pub(crate) fn author<'r>(event: &Recorded<'r, FileEvent>) -> &'r str {
    event.record().tags().find_map(|tag| tag.strip_prefix("author:")).unwrap_or("unknown")
}

/// When it was made, in seconds since 1970.
pub(crate) fn seconds(event: &Recorded<'_, FileEvent>) -> i64 {
    event.time().unwrap_or(event.recorded_at()).0.div_euclid(1_000_000_000)
}
