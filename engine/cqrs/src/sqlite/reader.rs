//! A database file as queries see it.

use super::SqliteError;
use super::read_model::BUSY_TIMEOUT;
use super::tables;
use crate::ReadView;
use gesta_model::Position;
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// A database file as queries see it: through a connection of its own that cannot write.
///
/// The file must be there: it is made by who folds into it.
#[derive(Debug)]
pub struct SqliteReader {
    file: PathBuf,
    connection: Mutex<Connection>,
}

impl SqliteReader {
    /// Opens a database file.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, SqliteError> {
        let file = file.as_ref().to_owned();
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&file, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            // Not opened read-only: whoever reads a database that a process has left behind may have to finish its log.
            connection.execute_batch("PRAGMA query_only = ON")?;
            Ok(connection)
        };
        match open() {
            Ok(connection) => Ok(Self { file, connection: Mutex::new(connection) }),
            Err(error) => Err(SqliteError::Database { file, error }),
        }
    }

    /// The connection by itself.
    #[must_use]
    pub fn into_connection(self) -> Connection {
        self.connection.into_inner()
    }
}

impl ReadView for SqliteReader {
    type Rows = Connection;
    type Error = SqliteError;

    fn look<T>(&self, projection: &str, look: impl FnOnce(&Connection) -> T) -> Result<(T, Position), SqliteError> {
        let failed = |error| SqliteError::Database { file: self.file.clone(), error };
        let mut connection = self.connection.lock();
        let moment = connection.transaction().map_err(failed)?;
        let stands = tables::serving(&moment, projection).map_err(failed)?;
        let seen = look(&moment);
        Ok((seen, stands.map_or(Position::START, |serving| serving.checkpoint.position)))
    }
}
