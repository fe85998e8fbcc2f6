//! A database file with the rows of projections.

use super::blame::blame;
use super::{SqliteError, SqliteReader, tables};
use crate::{Checkpoint, CommitError, Parked, Part, ProjectionId, ReadModel, Role, Serving, Step, Work};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A database file with the rows of projections. Each projection has a read model of its own, over the same file or another.
///
/// Whoever folds a projection holds a lock on `<file>.<projection>.lock`, so that another runner waits.
///
/// ```
/// use gesta_cqrs::sqlite::SqliteReadModel;
///
/// let directory = tempfile::tempdir()?;
/// let model = SqliteReadModel::open(directory.path().join("orders.sqlite"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteReadModel {
    file: PathBuf,
    connection: Connection,
    claim: Option<File>,
}

/// How long another connection's transaction is waited for.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl SqliteReadModel {
    /// Opens a database file, or makes one.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let file = file.as_ref().to_owned();
        let open = || {
            let connection = Connection::open(&file)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.execute_batch(tables::SET_UP)?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self { file, connection, claim: None }),
            Err(error) => Err(SqliteError::Database { file, error }),
        }
    }

    /// The same file as queries see it.
    pub fn reader(&self) -> Result<SqliteReader, SqliteError> {
        SqliteReader::open(&self.file)
    }

    fn failed(&self, error: rusqlite::Error) -> SqliteError {
        SqliteError::Database { file: self.file.clone(), error }
    }
}

impl ReadModel for SqliteReadModel {
    type Rows<'t> = Transaction<'t>;
    type Error = SqliteError;

    fn claim(&mut self, projection: &ProjectionId) -> Result<bool, SqliteError> {
        let mut name = self.file.clone().into_os_string();
        name.push(format!(".{projection}.lock"));
        let file = PathBuf::from(name);
        let lock = || {
            let lock = File::options().create(true).truncate(false).write(true).open(&file)?;
            match lock.try_lock() {
                Ok(()) => Ok(Some(lock)),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            }
        };
        match lock() {
            Ok(claim) => {
                self.claim = claim;
                Ok(self.claim.is_some())
            }
            Err(error) => Err(SqliteError::Lock { file, error }),
        }
    }

    fn checkpoint(&mut self, projection: &ProjectionId) -> Result<Option<Checkpoint>, SqliteError> {
        tables::checkpoint(&self.connection, projection).map_err(|error| self.failed(error))
    }

    fn serving(&mut self, name: &str) -> Result<Option<Serving>, SqliteError> {
        tables::serving(&self.connection, name).map_err(|error| self.failed(error))
    }

    fn parts(&mut self, projection: &ProjectionId) -> Result<Vec<(Part, Checkpoint)>, SqliteError> {
        tables::parts(&self.connection, projection).map_err(|error| self.failed(error))
    }

    fn commit(&mut self, step: &Step<'_>, work: &mut Work<'_, Self>) -> Result<Role, CommitError<SqliteError>> {
        let file = &self.file;
        let failed = |error| CommitError::Model(SqliteError::Database { file: file.clone(), error });
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let mut transaction = begun.map_err(failed)?;
        if !tables::is_due(&transaction, step).map_err(failed)? {
            return Err(CommitError::Moved);
        }
        let serving = tables::serving(&transaction, &step.projection.name).map_err(failed)?;
        let role = step.role(serving).map_err(|by| CommitError::Superseded { by })?;
        work(&mut transaction, role).map_err(|error| blame(error, file))?;
        if transaction.is_autocommit() {
            // What is written now would stay, whatever becomes of the rest.
            return Err(CommitError::Work("the projection went on after an error that ended the transaction".into()));
        }
        tables::write_step(&transaction, step, role).map_err(failed)?;
        // A deferred constraint is the fault of the work.
        transaction.commit().map_err(|error| blame(error.into(), file))?;
        Ok(role)
    }

    fn parked(&mut self, projection: &ProjectionId) -> Result<Vec<Parked>, SqliteError> {
        tables::parked(&self.connection, projection).map_err(|error| self.failed(error))
    }
}
