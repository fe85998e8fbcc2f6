//! Rows in SQLite.

use super::account::AccountEvent;
use super::target::{EVENTS_EACH, NAME, Target};
use crate::outcome::Outcome;
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{ProjectError, Projection, Recorded};
use rusqlite::{Connection, Transaction, params};
use std::path::{Path, PathBuf};

const TABLE: &str =
    "CREATE TABLE deposits (position INTEGER PRIMARY KEY, account INTEGER NOT NULL, cents INTEGER NOT NULL)";

/// Folds into SQLite.
pub(super) struct InSqlite;

impl Projection for InSqlite {
    type Event = AccountEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        NAME
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        Ok(rows.execute_batch(TABLE)?)
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        Ok(insert(rows, event.position().0, &event.event)?)
    }
}

/// A database file.
pub(super) struct Sqlite {
    file: PathBuf,
    bare: Option<Connection>,
}

impl Sqlite {
    /// Inserts one event in a transaction of its own.
    pub(super) fn insert_one(&self, position: u64, event: &AccountEvent) -> Outcome<()> {
        let bare = self.bare.as_ref().ok_or(NOT_READY)?;
        Ok(insert(bare, position, event)?)
    }

    /// Another connection, for queries.
    pub(super) fn reader(&self) -> Outcome<Connection> {
        Ok(Connection::open(&self.file)?)
    }
}

const NOT_READY: &str = "the rows are not set up";

impl Target for Sqlite {
    type Projection = InSqlite;

    fn new(directory: &Path) -> Outcome<Self> {
        Ok(Self { file: directory.join("rows.sqlite"), bare: None })
    }

    fn projection(&self) -> Outcome<(InSqlite, SqliteReadModel)> {
        Ok((InSqlite, SqliteReadModel::open(&self.file)?))
    }

    fn set_up(&mut self) -> Outcome<()> {
        let bare = Connection::open(&self.file)?;
        bare.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        bare.execute_batch(TABLE)?;
        self.bare = Some(bare);
        Ok(())
    }

    fn insert_all(&mut self, events: impl Iterator<Item = Outcome<(u64, AccountEvent)>>) -> Outcome<()> {
        let bare = self.bare.as_mut().ok_or(NOT_READY)?;
        let mut events = events.peekable();
        while events.peek().is_some() {
            let transaction = bare.transaction()?;
            for event in events.by_ref().take(EVENTS_EACH) {
                let (position, event) = event?;
                insert(&transaction, position, &event)?;
            }
            transaction.commit()?;
        }
        Ok(())
    }

    fn count(&self) -> Outcome<usize> {
        let count: i64 = self.reader()?.query_row("SELECT count(*) FROM deposits", [], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }
}

/// Puts a deposit into the table.
fn insert(rows: &Connection, position: u64, event: &AccountEvent) -> rusqlite::Result<()> {
    let AccountEvent::Deposited { account, cents } = event;
    let mut statement = rows.prepare_cached("INSERT INTO deposits VALUES (?1, ?2, ?3)")?;
    statement.execute(params![position.cast_signed(), account, cents]).map(drop)
}

/// Asks for the cents of a deposit, as a query would; an error when the row is not there.
pub(super) fn cents_at(reader: &Connection, position: u64) -> rusqlite::Result<u32> {
    let mut statement = reader.prepare_cached("SELECT cents FROM deposits WHERE position = ?1")?;
    statement.query_row([position.cast_signed()], |row| row.get(0))
}
