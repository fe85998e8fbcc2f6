//! A database file with the rows of projections.

use super::{SqliteError, SqliteReader};
use crate::{Checkpoint, CommitError, Parked, ProjectionId, ReadModel, Role, Serving, Step, Work};
use gesta_model::{Position, Timestamp, Uuid};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
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

/// Committed steps survive the process at once, and a power cut from the next checkpoint of the database on: what it takes is
/// folded again.
const SET_UP: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS gesta_checkpoints (
        projection TEXT NOT NULL,
        version INTEGER NOT NULL,
        store_id BLOB NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (projection, version)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gesta_serving (
        projection TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS gesta_parked (
        projection TEXT NOT NULL,
        version INTEGER NOT NULL,
        position INTEGER NOT NULL,
        event_type TEXT NOT NULL,
        reason TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        recorded_at INTEGER NOT NULL,
        PRIMARY KEY (projection, version, position)
    ) WITHOUT ROWID;
";

impl SqliteReadModel {
    /// Opens a database file, or makes one.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let file = file.as_ref().to_owned();
        let open = || {
            let connection = Connection::open(&file)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.execute_batch(SET_UP)?;
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
        checkpoint(&self.connection, projection).map_err(|error| self.failed(error))
    }

    fn serving(&mut self, name: &str) -> Result<Option<Serving>, SqliteError> {
        serving(&self.connection, name).map_err(|error| self.failed(error))
    }

    fn commit(&mut self, step: &Step<'_>, work: &mut Work<'_, Self>) -> Result<Role, CommitError<SqliteError>> {
        let file = &self.file;
        let failed = |error| CommitError::Model(SqliteError::Database { file: file.clone(), error });
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let mut transaction = begun.map_err(failed)?;
        if checkpoint(&transaction, step.projection).map_err(failed)? != step.from {
            return Err(CommitError::Moved);
        }
        let serving = serving(&transaction, &step.projection.name).map_err(failed)?;
        let role = step.role(serving).map_err(|by| CommitError::Superseded { by })?;
        work(&mut transaction, role).map_err(CommitError::Work)?;
        write_step(&transaction, step, role).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(role)
    }

    fn parked(&mut self, projection: &ProjectionId) -> Result<Vec<Parked>, SqliteError> {
        parked(&self.connection, projection).map_err(|error| self.failed(error))
    }
}

fn checkpoint(connection: &Connection, projection: &ProjectionId) -> rusqlite::Result<Option<Checkpoint>> {
    let text = "SELECT store_id, position FROM gesta_checkpoints WHERE projection = ?1 AND version = ?2";
    let mut statement = connection.prepare_cached(text)?;
    let found = statement.query_row(params![projection.name, projection.version], |row| {
        Ok(Checkpoint { store_id: Uuid::from_bytes(row.get(0)?), position: Position(of_sql(row.get(1)?)) })
    });
    found.optional()
}

/// Which version of a projection serves, and how far it has come.
pub(super) fn serving(connection: &Connection, name: &str) -> rusqlite::Result<Option<Serving>> {
    let text = "SELECT version, store_id, position FROM gesta_serving JOIN gesta_checkpoints USING (projection, version) \
                WHERE projection = ?1";
    let found = connection.prepare_cached(text)?.query_row(params![name], |row| {
        let (store_id, position) = (Uuid::from_bytes(row.get(1)?), Position(of_sql(row.get(2)?)));
        Ok(Serving { version: row.get(0)?, checkpoint: Checkpoint { store_id, position } })
    });
    found.optional()
}

fn write_step(transaction: &Transaction<'_>, step: &Step<'_>, role: Role) -> rusqlite::Result<()> {
    let ProjectionId { name, version } = step.projection;
    for position in step.unparked {
        let text = "DELETE FROM gesta_parked WHERE projection = ?1 AND version = ?2 AND position = ?3";
        transaction.prepare_cached(text)?.execute(params![name, version, to_sql(position.0)])?;
    }
    for parked in step.parked {
        let text = "INSERT OR REPLACE INTO gesta_parked VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let Parked { position, event_type, reason, attempts, recorded_at } = parked;
        let values = params![name, version, to_sql(position.0), event_type, reason, attempts, recorded_at.0];
        transaction.prepare_cached(text)?.execute(values)?;
    }
    let text = "INSERT OR REPLACE INTO gesta_checkpoints VALUES (?1, ?2, ?3, ?4)";
    let values = params![name, version, step.to.store_id.into_bytes(), to_sql(step.to.position.0)];
    transaction.prepare_cached(text)?.execute(values)?;
    if role == Role::TakesOver {
        let text = "INSERT OR REPLACE INTO gesta_serving VALUES (?1, ?2)";
        transaction.prepare_cached(text)?.execute(params![name, version])?;
    }
    Ok(())
}

fn parked(connection: &Connection, projection: &ProjectionId) -> rusqlite::Result<Vec<Parked>> {
    let text = "SELECT position, event_type, reason, attempts, recorded_at FROM gesta_parked \
                WHERE projection = ?1 AND version = ?2 ORDER BY position";
    let mut statement = connection.prepare_cached(text)?;
    let rows = statement.query_map(params![projection.name, projection.version], |row| {
        Ok(Parked {
            position: Position(of_sql(row.get(0)?)),
            event_type: row.get(1)?,
            reason: row.get(2)?,
            attempts: row.get(3)?,
            recorded_at: Timestamp(row.get(4)?),
        })
    })?;
    rows.collect()
}

/// SQLite's integers have a sign; positions keep their bits.
fn to_sql(position: u64) -> i64 {
    position.cast_signed()
}

fn of_sql(position: i64) -> u64 {
    position.cast_unsigned()
}
