//! The rows that both sides fill: an entry each event, in a table or in a map.

use super::account::AccountEvent;
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{MemoryReadModel, ProjectError, Projection, Recorded};
use rusqlite::{Connection, Transaction, params};
use std::collections::HashMap;

/// How the projections are called.
pub(super) const NAME: &str = "deposits";
/// The table of both sides.
pub(super) const TABLE: &str =
    "CREATE TABLE deposits (position INTEGER PRIMARY KEY, account INTEGER NOT NULL, cents INTEGER NOT NULL)";

/// Deposits by position.
pub(super) type Deposits = HashMap<u64, (u32, u32)>;

/// Folds into memory.
pub(super) struct InMemory;

/// Folds into SQLite.
pub(super) struct InSqlite;

impl Projection for InMemory {
    type Event = AccountEvent;
    type Model = MemoryReadModel<Deposits>;

    fn name(&self) -> &str {
        NAME
    }

    fn set_up(&self, _: &mut Deposits) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, rows: &mut Deposits, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        remember(rows, event.position().0, &event.event);
        Ok(())
    }
}

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

/// Puts a deposit into a map.
pub(super) fn remember(rows: &mut Deposits, position: u64, AccountEvent::Deposited { account, cents }: &AccountEvent) {
    rows.insert(position, (*account, *cents));
}

/// Puts a deposit into the table.
pub(super) fn insert(rows: &Connection, position: u64, event: &AccountEvent) -> rusqlite::Result<()> {
    let AccountEvent::Deposited { account, cents } = event;
    let mut statement = rows.prepare_cached("INSERT INTO deposits VALUES (?1, ?2, ?3)")?;
    statement.execute(params![position.cast_signed(), account, cents]).map(drop)
}
