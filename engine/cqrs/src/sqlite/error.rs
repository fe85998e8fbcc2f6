//! Why a read model in SQLite fails.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a read model in SQLite fails.
#[derive(Debug, Error)]
pub enum SqliteError {
    /// SQLite says no.
    #[error("{}: {error}", file.display())]
    Database {
        /// The database.
        file: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
    /// The file that says who folds a projection cannot be used.
    #[error("{}: {error}", file.display())]
    Lock {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}
