//! Rows as they are at one moment.

use crate::session::Session;
use crate::{PostgresError, tables};
use gesta_cqrs::Serving;
use postgres::types::ToSql;
use postgres::{Client, Row};
use std::cell::RefCell;

/// Rows as they are at one moment: whatever a question asks of them, it sees the same snapshot.
///
/// A question leaves the transaction that it finds itself in alone.
pub struct PostgresRows {
    session: Session,
    client: RefCell<Client>,
}

/// The first query takes the snapshot, which is that of the checkpoint.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

impl PostgresRows {
    /// Through a new connection.
    pub(crate) fn connect(session: &Session) -> Result<Self, PostgresError> {
        let client = RefCell::new(session.connect_to_read()?);
        Ok(Self { session: session.clone(), client })
    }

    /// All rows of a query.
    pub fn query(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, PostgresError> {
        self.ask(|client| client.query(text, values))
    }

    /// The row of a query that has exactly one.
    pub fn query_one(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Row, PostgresError> {
        self.ask(|client| client.query_one(text, values))
    }

    /// The row of a query that has one at most.
    pub fn query_opt(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Option<Row>, PostgresError> {
        self.ask(|client| client.query_opt(text, values))
    }

    /// Begins the transaction: how far the rows of a projection have come in it.
    pub(crate) fn begin(&self, projection: &str) -> Result<Option<Serving>, PostgresError> {
        self.ask(|client| {
            client.batch_execute(BEGIN)?;
            tables::serving(client, projection)
        })
    }

    /// Ends it, be it after a query that failed.
    pub(crate) fn end(&self) -> Result<(), PostgresError> {
        self.ask(|client| client.batch_execute("COMMIT"))
    }

    pub(crate) fn into_client(self) -> Client {
        self.client.into_inner()
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut Client) -> Result<T, postgres::Error>) -> Result<T, PostgresError> {
        ask(&mut self.client.borrow_mut()).map_err(|error| self.session.failed(error))
    }
}
