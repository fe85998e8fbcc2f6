//! Rows in PostgreSQL, in a throw-away cluster on a socket of its own.

use super::account::AccountEvent;
use super::cluster;
use super::target::{EVENTS_EACH, NAME, Target};
use crate::outcome::Outcome;
use gesta_cqrs::{ProjectError, Projection, Recorded};
use gesta_postgres::PostgresReadModel;
use gesta_postgres::postgres::{self, Client, NoTls, Transaction, types::Type};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

const TABLE: &str =
    "CREATE TABLE deposits (position bigint PRIMARY KEY, account bigint NOT NULL, cents bigint NOT NULL)";

/// Folds into PostgreSQL.
pub(super) struct InPostgres;

impl Projection for InPostgres {
    type Event = AccountEvent;
    type Model = PostgresReadModel;

    fn name(&self) -> &str {
        NAME
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        Ok(rows.batch_execute(TABLE)?)
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        Ok(insert(rows, event.position().0, &event.event)?)
    }
}

/// A database.
pub(super) struct Postgres {
    settings: String,
    bare: Option<Client>,
}

const NOT_READY: &str = "the rows are not set up";

impl Target for Postgres {
    type Projection = InPostgres;
    /// Each insert is a message there and back.
    const SHORTER: u32 = 4;

    fn new(_: &Path) -> Outcome<Self> {
        static DATABASES: AtomicU32 = AtomicU32::new(0);
        let name = format!("rows_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let settings = cluster::database(&name).ok_or("PostgreSQL is not installed")?;
        Ok(Self { settings, bare: None })
    }

    fn projection(&self) -> Outcome<(InPostgres, PostgresReadModel)> {
        Ok((InPostgres, PostgresReadModel::connect(&self.settings)?))
    }

    fn set_up(&mut self) -> Outcome<()> {
        let mut bare = Client::connect(&self.settings, NoTls)?;
        bare.batch_execute(TABLE)?;
        self.bare = Some(bare);
        Ok(())
    }

    fn insert_all(&mut self, events: impl Iterator<Item = Outcome<(u64, AccountEvent)>>) -> Outcome<()> {
        let bare = self.bare.as_mut().ok_or(NOT_READY)?;
        let mut events = events.peekable();
        while events.peek().is_some() {
            let mut transaction = bare.transaction()?;
            for event in events.by_ref().take(EVENTS_EACH) {
                let (position, event) = event?;
                insert(&mut transaction, position, &event)?;
            }
            transaction.commit()?;
        }
        Ok(())
    }

    fn count(&self) -> Outcome<usize> {
        let row = Client::connect(&self.settings, NoTls)?.query_one("SELECT count(*) FROM deposits", &[])?;
        Ok(usize::try_from(row.get::<_, i64>(0))?)
    }
}

/// Puts a deposit into the table, by one message there and back.
fn insert(rows: &mut Transaction<'_>, position: u64, event: &AccountEvent) -> Result<(), postgres::Error> {
    let AccountEvent::Deposited { account, cents } = event;
    let values = [position.cast_signed(), i64::from(*account), i64::from(*cents)];
    let [position, account, cents] = &values;
    let text = "INSERT INTO deposits VALUES ($1, $2, $3)";
    rows.execute_typed(text, &[(position, Type::INT8), (account, Type::INT8), (cents, Type::INT8)]).map(drop)
}
