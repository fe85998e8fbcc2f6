//! Whose fault it is that a step fails.
//!
//! What must stay true: an event is blamed only for what SQLite refused while the database itself works; whatever else goes
//! wrong is a failure of the read model, and the step is tried again.

use super::SqliteError;
use crate::{CommitError, ProjectError};
use rusqlite::ErrorCode;
use std::path::Path;

/// What tells of the database and not of what was asked: its disk, its locks, its memory.
const FAILURES_OF_THE_DATABASE: [ErrorCode; 11] = [
    ErrorCode::DiskFull,
    ErrorCode::SystemIoFailure,
    ErrorCode::DatabaseBusy,
    ErrorCode::DatabaseLocked,
    ErrorCode::FileLockingProtocolFailed,
    ErrorCode::OutOfMemory,
    ErrorCode::OperationInterrupted,
    ErrorCode::ReadOnly,
    ErrorCode::CannotOpen,
    ErrorCode::DatabaseCorrupt,
    ErrorCode::NotADatabase,
];

/// Whether an error within a step is one of an event, or of the database in this file.
pub(super) fn blame(error: ProjectError, file: &Path) -> CommitError<SqliteError> {
    let error = match error.downcast::<rusqlite::Error>() {
        Ok(error) => error,
        Err(error) => return CommitError::Work(error),
    };
    if error.sqlite_error_code().is_some_and(|code| FAILURES_OF_THE_DATABASE.contains(&code)) {
        return CommitError::Model(SqliteError::Database { file: file.to_owned(), error: *error });
    }
    CommitError::Work(error)
}
