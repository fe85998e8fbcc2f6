//! The read model: balances in a table of SQLite, and what can be asked of it.

use super::account::AccountEvent;
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{ProjectError, Projection, Question, Recorded};
use rusqlite::{Connection, Transaction, params};
use std::error::Error;

/// Folds events into balances.
pub(super) struct BalanceRows;

impl Projection for BalanceRows {
    type Event = AccountEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "balances"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch("CREATE TABLE balances (account INTEGER PRIMARY KEY, cents INTEGER NOT NULL)")?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        let text = "INSERT INTO balances VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET cents = cents + ?2";
        rows.prepare_cached(text)?.execute(params![event.event.account(), event.event.cents()])?;
        Ok(())
    }
}

/// What is on an account?
pub(super) struct BalanceOf(pub(super) u32);

impl Question<Connection> for BalanceOf {
    type Answer = i64;

    fn name(&self) -> &str {
        "balance"
    }

    fn answer(&self, rows: &Connection) -> Result<i64, Box<dyn Error + Send + Sync>> {
        let text = "SELECT cents FROM balances WHERE account = ?1";
        Ok(rows.prepare_cached(text)?.query_row([self.0], |row| row.get(0))?)
    }
}

/// What is on all accounts?
pub(super) struct Total;

impl Question<Connection> for Total {
    type Answer = i64;

    fn name(&self) -> &str {
        "total"
    }

    fn answer(&self, rows: &Connection) -> Result<i64, Box<dyn Error + Send + Sync>> {
        Ok(rows.query_row("SELECT coalesce(sum(cents), 0) FROM balances", [], |row| row.get(0))?)
    }
}
