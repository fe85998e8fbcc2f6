//! Why a store cannot be opened. In every case the store is left as it was.

use gesta_model::ReadError;
use std::io::{self, ErrorKind};
use thiserror::Error;

/// Why a store cannot be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no store, and none was to be made.
    #[error("{path}: there is no gesta store: create one by appending or importing to it, or check the path")]
    NotFound {
        /// Where one was looked for.
        path: String,
    },
    /// The directory holds files that are not a store's.
    #[error("{path}: the directory is not empty and not a gesta store (it holds {found:?}): choose another directory")]
    NotAStore {
        /// The directory.
        path: String,
        /// A file that does not belong to a store.
        found: String,
    },
    /// The directory holds a backup, which is not written and not read in place.
    #[error("{path}: this is a backup and not a store: restore it with 'gesta restore' into an empty directory")]
    Backup {
        /// The directory.
        path: String,
    },
    /// Another writer has the store open.
    #[error("{path}: another process has the store open for writing: stop it, or open the store for reading only")]
    Locked {
        /// The lock file.
        path: String,
    },
    /// Neither copy of the manifest can be read.
    #[error("{path}: both copies of the manifest are damaged or missing ({what}): restore them from a backup")]
    ManifestDamaged {
        /// The first copy.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The manifest is older than the log, or of another store.
    #[error("{path}: {what}: the directory mixes files of different times or stores; restore all of them together")]
    Foreign {
        /// The file that does not fit.
        path: String,
        /// How it does not fit.
        what: String,
    },
    /// A later version wrote the store.
    #[error("{path}: {what}")]
    Unsupported {
        /// The file that says so.
        path: String,
        /// The version or feature.
        what: String,
    },
    /// The disk has no room for what opening needs.
    #[error("{path}: no room on the disk to open the store for writing ({error}): free some space and open again")]
    StorageFull {
        /// The store.
        path: String,
        /// What the disk said.
        error: io::Error,
    },
    /// The file system cannot be written.
    #[error("{path}: the file system is read-only ({error}): mount it for writing, or open the store for reading only")]
    ReadOnly {
        /// The file or directory.
        path: String,
        /// What the disk said.
        error: io::Error,
    },
    /// The disk failed.
    #[error("{}", describe_failure(path, what, error))]
    Io {
        /// The file or directory.
        path: String,
        /// What was tried.
        what: &'static str,
        /// What the disk said.
        error: io::Error,
    },
}

impl OpenError {
    /// Tells what was tried with which file when the disk failed.
    pub(crate) fn io(path: String, what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::StorageFull { path, error },
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, error },
            _ => Self::Io { path, what, error },
        }
    }
}

/// What was tried with a file, what the disk said, and what to do about it.
fn describe_failure(path: &str, what: &str, error: &io::Error) -> String {
    let advice = match error.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::AlreadyExists
        | ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::IsADirectory
        | ErrorKind::InvalidInput
        | ErrorKind::InvalidFilename => "check the path and its permissions",
        _ => "look after the disk and the system's limits",
    };
    let said = error.to_string();
    // A disk names the file by itself, which need not be told twice.
    let said = said.strip_prefix(path).and_then(|said| said.strip_prefix(": ")).unwrap_or(&said);
    format!("{path}: {what}: {said}: {advice}")
}

impl From<OpenError> for ReadError {
    fn from(error: OpenError) -> Self {
        Self::Refresh(Box::new(error))
    }
}
