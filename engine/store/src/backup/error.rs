//! Why a backup was not made, or a store not restored from one.

use crate::log::{NotVacant, OpenError};
use std::io::{self, ErrorKind};
use thiserror::Error;

/// Why a backup was not made. What an earlier run into the same directory finished is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The directory holds what is not a backup's.
    #[error(
        "{path}: the directory holds {found:?}, which is not a backup's: choose an empty directory, or one with a backup"
    )]
    Occupied {
        /// The directory.
        path: String,
        /// A file that does not belong to a backup.
        found: String,
    },
    /// The directory holds a backup of another store.
    #[error("{path}: the directory holds a backup of another store ({held}): choose another directory")]
    OtherStore {
        /// The directory.
        path: String,
        /// The other store's id.
        held: gesta_model::Uuid,
    },
    /// The backup in the directory holds what the store does not: it was restored to an earlier time, or cut.
    #[error(
        "{path}: the backup there holds events that the store does not ({what}): keep it, and choose another directory"
    )]
    OtherCourse {
        /// The directory.
        path: String,
        /// Where they part.
        what: String,
    },
    /// What the directory holds is damaged.
    #[error("{path}: the backup there cannot be added to ({what}): choose another directory")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// Another backup into the directory is under way.
    #[error("{path}: another backup into this directory is under way: wait for its end")]
    Busy {
        /// The lock file.
        path: String,
    },
    /// The end of the store was cut meanwhile.
    #[error("{path}: the end of the store was cut during the backup: run it again")]
    Cut {
        /// The store.
        path: String,
    },
    /// There is no room for the backup.
    #[error("{path}: no room for the backup ({error}): free some space and run it again, or choose another directory")]
    StorageFull {
        /// The file or directory.
        path: String,
        /// What the disk said.
        error: io::Error,
    },
    /// A disk failed, the store's or the backup's.
    #[error("{path}: {what}: {error}: check the path, its permissions and the disk")]
    Io {
        /// The file or directory.
        path: String,
        /// What was tried.
        what: &'static str,
        /// What the disk said.
        error: io::Error,
    },
}

impl BackupError {
    /// Tells what was tried with which file when a disk failed.
    pub(super) fn io(path: String, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::StorageFull { error: unnamed(&path, error), path }
            }
            _ => Self::Io { error: unnamed(&path, error), path, what },
        }
    }
}

/// Why a backup cannot be verified, or a store not restored from it. Nothing was made, and the backup is as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is no backup.
    #[error("{path}: there is no backup: check the path")]
    NotFound {
        /// Where one was looked for.
        path: String,
    },
    /// The first backup into the directory was begun and never finished.
    #[error("{path}: the backup is partial, it was begun and never finished: run 'gesta backup' into it again")]
    Partial {
        /// The directory.
        path: String,
    },
    /// A file of the backup is damaged.
    #[error("{path}: the backup is damaged ({what}): use another backup")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The directory to restore into holds something.
    #[error(
        "{path}: the directory is not empty (it holds {found:?}): restore into one that is empty or does not exist"
    )]
    NotEmpty {
        /// The directory.
        path: String,
        /// What it holds.
        found: String,
    },
    /// There is no room for the store.
    #[error("{path}: no room for the store ({error}): free some space, or restore into another directory")]
    StorageFull {
        /// The file or directory.
        path: String,
        /// What the disk said.
        error: io::Error,
    },
    /// What was restored cannot be opened.
    #[error("the restored store cannot be opened: {0}")]
    Open(#[from] OpenError),
    /// A disk failed, the backup's or the store's.
    #[error("{path}: {what}: {error}: check the path, its permissions and the disk")]
    Io {
        /// The file or directory.
        path: String,
        /// What was tried.
        what: &'static str,
        /// What the disk said.
        error: io::Error,
    },
}

impl RestoreError {
    /// Tells what was tried with which file when a disk failed.
    pub(super) fn io(path: String, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::StorageFull { error: unnamed(&path, error), path }
            }
            _ => Self::Io { error: unnamed(&path, error), path, what },
        }
    }
}

impl From<NotVacant> for RestoreError {
    fn from(error: NotVacant) -> Self {
        match error {
            NotVacant::Holds { path, found } => Self::NotEmpty { path, found },
            NotVacant::Io { path, what, error } => Self::io(path, what)(error),
        }
    }
}

/// A disk names the file by itself, which need not be told twice.
fn unnamed(path: &str, error: io::Error) -> io::Error {
    let said = error.to_string();
    match said.strip_prefix(path).and_then(|said| said.strip_prefix(": ")) {
        Some(rest) => io::Error::new(error.kind(), rest.to_owned()),
        None => error,
    }
}
