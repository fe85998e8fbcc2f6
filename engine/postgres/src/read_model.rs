//! A database with the rows of projections.

use crate::session::{Session, is_usable_after, try_claim};
use crate::step::{self, Answer};
use crate::{PostgresError, PostgresReader, tables};
use gesta_cqrs::{Checkpoint, CommitError, Parked, Part, ProjectionId, ReadModel, Role, Serving, Step, Work};
use postgres::{Client, Transaction};
use std::fmt;

/// A database, or a schema in it, with the rows of projections. Each projection has a read model of its own, over the same
/// database or another.
///
/// When the connection breaks, the call that finds out fails, and the next one makes a new connection and takes again what
/// was claimed.
///
/// ```no_run
/// use gesta_postgres::PostgresReadModel;
///
/// let model = PostgresReadModel::connect_to_schema("host=/run/postgresql dbname=shop", "orders")?;
/// let mut client = model.reader()?.into_client()?;
/// let orders = client.query("SELECT id, total FROM orders", &[])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PostgresReadModel {
    session: Session,
    /// `None` after it broke.
    client: Option<Client>,
    /// What is claimed as long as the client's connection stands.
    claims: Vec<ProjectionId>,
}

impl PostgresReadModel {
    /// Connects to a database, and makes our tables in the schema that it shows first. `config` is what libpq takes:
    /// `host=/run/postgresql dbname=shop`, or a URL.
    pub fn connect(config: &str) -> Result<Self, PostgresError> {
        Self::open(Session::new(config, None)?)
    }

    /// Connects to a schema of a database, and makes it and our tables in it. Projections see this schema alone.
    pub fn connect_to_schema(config: &str, schema: &str) -> Result<Self, PostgresError> {
        Self::open(Session::new(config, Some(schema))?)
    }

    /// The same schema as queries see it.
    pub fn reader(&self) -> Result<PostgresReader, PostgresError> {
        PostgresReader::open(self.session.clone())
    }

    fn open(session: Session) -> Result<Self, PostgresError> {
        let client = session.connect_and_set_up()?;
        Ok(Self { session, client: Some(client), claims: Vec::new() })
    }

    /// Asks the database something; when that ends the connection, the next call makes a new one.
    fn ask<T>(&mut self, ask: impl FnOnce(&mut Client) -> Result<T, postgres::Error>) -> Result<T, PostgresError> {
        let mut client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect_again()?,
        };
        let outcome = ask(&mut client);
        if outcome.as_ref().err().is_none_or(is_usable_after) {
            self.client = Some(client);
        }
        outcome.map_err(|error| self.session.failed(error))
    }

    /// A new connection that has claimed what the one before had.
    fn connect_again(&self) -> Result<Client, PostgresError> {
        let mut client = self.session.connect()?;
        for projection in &self.claims {
            if !try_claim(&mut client, projection).map_err(|error| self.session.failed(error))? {
                let (place, projection) = (self.session.place.clone(), projection.clone());
                return Err(PostgresError::ClaimLost { place, projection });
            }
        }
        Ok(client)
    }
}

impl ReadModel for PostgresReadModel {
    type Rows<'t> = Transaction<'t>;
    type Error = PostgresError;

    fn claim(&mut self, projection: &ProjectionId) -> Result<bool, PostgresError> {
        let is_claimed = self.ask(|client| try_claim(client, projection))?;
        if is_claimed && !self.claims.contains(projection) {
            self.claims.push(projection.clone());
        }
        Ok(is_claimed)
    }

    fn checkpoint(&mut self, projection: &ProjectionId) -> Result<Option<Checkpoint>, PostgresError> {
        self.ask(|client| tables::checkpoint(client, projection))
    }

    fn serving(&mut self, name: &str) -> Result<Option<Serving>, PostgresError> {
        self.ask(|client| tables::serving(client, name))
    }

    fn parts(&mut self, projection: &ProjectionId) -> Result<Vec<(Part, Checkpoint)>, PostgresError> {
        self.ask(|client| tables::parts(client, projection))
    }

    fn commit(&mut self, step: &Step<'_>, work: &mut Work<'_, Self>) -> Result<Role, CommitError<PostgresError>> {
        match self.ask(|client| step::commit(client, step, work)) {
            Ok(Answer::Committed(role)) => Ok(role),
            Ok(Answer::Moved) => Err(CommitError::Moved),
            Ok(Answer::Superseded(by)) => Err(CommitError::Superseded { by }),
            Ok(Answer::Stuck(error)) => Err(CommitError::Work(error)),
            Err(error) => Err(CommitError::Model(error)),
        }
    }

    fn parked(&mut self, projection: &ProjectionId) -> Result<Vec<Parked>, PostgresError> {
        self.ask(|client| tables::parked(client, projection))
    }
}

impl fmt::Debug for PostgresReadModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_connected = self.client.as_ref().is_some_and(|client| !client.is_closed());
        formatter
            .debug_struct("PostgresReadModel")
            .field("place", &self.session.place)
            .field("is_connected", &is_connected)
            .field("claims", &self.claims)
            .finish()
    }
}
