//! Read models of the bank, in memory and in SQLite.

use super::bank::AccountEvent;
use gesta_cqrs::sqlite::{SqliteReadModel, SqliteReader};
use gesta_cqrs::{MemoryReadModel, ProjectError, Projection, Recorded};
use rusqlite::{Transaction, params};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Balances by account.
pub(super) type Balances = BTreeMap<u32, i64>;

/// Folds balances into memory.
pub(super) struct InMemory;

impl Projection for InMemory {
    type Event = AccountEvent;
    type Model = MemoryReadModel<Balances>;

    fn name(&self) -> &str {
        "balances"
    }

    fn set_up(&self, _: &mut Balances) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, rows: &mut Balances, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        *rows.entry(event.event.account()).or_default() += event.event.cents();
        Ok(())
    }
}

/// Folds balances into a table, and counts how many events it has seen in another.
#[derive(Clone, Default)]
pub(super) struct InSqlite {
    /// Whether it refuses to fold deposits of 13 cents.
    pub(super) is_superstitious: Arc<AtomicBool>,
    /// Whether it panics instead.
    pub(super) panics: bool,
}

impl Projection for InSqlite {
    type Event = AccountEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "balances"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.execute_batch(
            "CREATE TABLE balances (account INTEGER PRIMARY KEY, cents INTEGER NOT NULL, events INTEGER NOT NULL)",
        )?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        let text = "INSERT INTO balances VALUES (?1, ?2, 1)
                    ON CONFLICT (account) DO UPDATE SET cents = cents + ?2, events = events + 1";
        rows.prepare_cached(text)?.execute(params![event.event.account(), event.event.cents()])?;
        let is_unlucky = matches!(event.event, AccountEvent::Deposited { cents: 13, .. });
        if is_unlucky && self.is_superstitious.load(Ordering::Relaxed) {
            if self.panics {
                panic!("13");
            }
            return Err("13 cents bring bad luck".into());
        }
        Ok(())
    }
}

/// The balances that a database holds, and how many events they were folded from.
pub(super) fn balances_in(database: SqliteReader) -> (Balances, u64) {
    let database = database.into_connection();
    let mut statement = database.prepare("SELECT account, cents, events FROM balances").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?))).unwrap();
    let rows: Vec<(u32, i64, i64)> = rows.collect::<Result<_, _>>().unwrap();
    let events = rows.iter().map(|(_, _, events)| events.cast_unsigned()).sum();
    (rows.into_iter().map(|(account, cents, _)| (account, cents)).collect(), events)
}
