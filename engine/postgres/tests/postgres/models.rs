//! The balances of the bank in PostgreSQL, and what they should be.

use super::bank::{AccountEvent, Bank, Command};
use super::support::{PATIENCE, TestStore};
use gesta::{EventReader, Position, Read, Store, Uuid};
use gesta_cqrs::{CommandHandler, ProjectError, Projection, ProjectionState, Recorded, Runner, Running, decode};
use gesta_postgres::PostgresReadModel;
use postgres::{Client, IsolationLevel, Transaction};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// Balances by account.
pub(super) type Balances = BTreeMap<u32, i64>;

/// Folds balances into a table, and counts how many events it has seen in another column.
#[derive(Clone, Default)]
pub(super) struct InPostgres {
    /// What it does with deposits of 13 cents.
    pub(super) of_thirteen: Arc<AtomicU8>,
}

/// It folds them.
pub(super) const FOLDS: u8 = 0;
/// It says why not.
pub(super) const REFUSES: u8 = 1;
/// It panics.
pub(super) const PANICS: u8 = 2;
/// It asks the database for what that cannot do, and says so.
pub(super) const FAILS: u8 = 3;
/// It does the same, and does not look at the answer.
pub(super) const FAILS_UNSEEN: u8 = 4;

impl InPostgres {
    pub(super) fn that(of_thirteen: u8) -> Self {
        Self { of_thirteen: Arc::new(AtomicU8::new(of_thirteen)) }
    }
}

impl Projection for InPostgres {
    type Event = AccountEvent;
    type Model = PostgresReadModel;

    fn name(&self) -> &str {
        "balances"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.batch_execute(
            "CREATE TABLE balances (account bigint PRIMARY KEY, cents bigint NOT NULL, events bigint NOT NULL)",
        )?;
        Ok(())
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        let text = "INSERT INTO balances VALUES ($1, $2, 1) ON CONFLICT (account) DO UPDATE
                    SET cents = balances.cents + excluded.cents, events = balances.events + 1";
        rows.execute(text, &[&i64::from(event.event.account()), &event.event.cents()])?;
        if !matches!(event.event, AccountEvent::Deposited { cents: 13, .. }) {
            return Ok(());
        }
        match self.of_thirteen.load(Ordering::Relaxed) {
            REFUSES => Err("13 cents bring bad luck\0".into()),
            PANICS => panic!("13"),
            FAILS => Ok(rows.batch_execute("SELECT 13 / 0")?),
            FAILS_UNSEEN => {
                let _ = rows.batch_execute("SELECT 13 / 0");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// A store with two accounts, 100 cents on each.
pub(super) fn bank() -> (TestStore, CommandHandler<Arc<Store>, Bank>) {
    let test = TestStore::new();
    let handler = CommandHandler::new(Arc::clone(&test.store));
    for account in [1, 2] {
        handler.handle(&Command::Open { account }).unwrap();
        handler.handle(&Command::Deposit { account, cents: 100 }).unwrap();
    }
    (test, handler)
}

pub(super) fn deposit(handler: &CommandHandler<Arc<Store>, Bank>, cents: u64) -> Position {
    handler.handle(&Command::Deposit { account: 1, cents }).unwrap().position().unwrap()
}

pub(super) fn model(database: &str) -> PostgresReadModel {
    PostgresReadModel::connect(database).unwrap()
}

pub(super) fn run(test: &TestStore, database: &str, projection: InPostgres) -> Running {
    Runner::new(Arc::clone(&test.store)).project(projection, model(database)).start().unwrap()
}

/// Waits until the only projection is doing something.
pub(super) fn wait_for(running: &Running, is_so: impl Fn(&ProjectionState) -> bool) -> ProjectionState {
    let mut state = running.statuses().remove(0).state;
    wait_until(|| {
        state = running.statuses().remove(0).state;
        is_so(&state)
    });
    state
}

/// Waits for what comes by itself.
pub(super) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A connection for queries alone.
pub(super) fn reader(database: &str) -> Client {
    model(database).reader().unwrap().into_client().unwrap()
}

/// The balances that a database holds, and how many events they were folded from.
pub(super) fn balances_in(database: &str) -> (Balances, u64) {
    let mut client = reader(database);
    rows(&mut client.transaction().unwrap())
}

fn rows(transaction: &mut Transaction<'_>) -> (Balances, u64) {
    let rows = transaction.query("SELECT account, cents, events FROM balances", &[]).unwrap();
    let count = rows.iter().map(|row| row.get::<_, i64>(2).cast_unsigned()).sum();
    let account = |row: &postgres::Row| u32::try_from(row.get::<_, i64>(0)).unwrap();
    (rows.iter().map(|row| (account(row), row.get(1))).collect(), count)
}

/// Asserts that the rows are a fold of the log up to the checkpoint; returns the checkpoint.
pub(super) fn assert_is_a_fold(reader: &mut Client, store: &Store) -> Option<Position> {
    // One snapshot of both.
    let mut transaction = reader.build_transaction().isolation_level(IsolationLevel::RepeatableRead).start().unwrap();
    let text = "SELECT store_id, position FROM gesta_checkpoints WHERE projection = 'balances' AND version = 1";
    let Some(row) = transaction.query_opt(text, &[]).unwrap() else {
        let tables = transaction.query("SELECT FROM pg_tables WHERE tablename = 'balances'", &[]).unwrap();
        assert!(tables.is_empty(), "there are rows, and no checkpoint");
        return None;
    };
    assert_eq!(row.get::<_, Uuid>(0), store.id());
    let position = Position(row.get::<_, i64>(1).cast_unsigned());
    assert_eq!(rows(&mut transaction), fold(store, position), "at position {position:?}");
    Some(position)
}

/// What the balances are below a position, and of how many events.
pub(super) fn fold(store: &Store, until: Position) -> (Balances, u64) {
    let mut cursor = EventReader::read(store, Read::all().until(until)).unwrap();
    let (mut balances, mut count) = (Balances::new(), 0);
    while let Some(record) = cursor.next_record() {
        let event = decode::<AccountEvent>(&record.unwrap()).unwrap().unwrap();
        *balances.entry(event.account()).or_default() += event.cents();
        count += 1;
    }
    (balances, count)
}
