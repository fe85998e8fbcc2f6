//! Connections to one database and schema, made alike.

use crate::{Place, PostgresError, tables};
use gesta_cqrs::ProjectionId;
use postgres::error::Severity;
use postgres::types::Type;
use postgres::{Client, Config, NoTls};
use std::time::Duration;

/// How to connect, and to what.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    config: Config,
    schema: Option<String>,
    pub(crate) place: Place,
}

/// How long a server is waited for that says nothing, unless the settings say how long.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest name that PostgreSQL keeps.
const NAME_BYTES_MAX: usize = 63;

impl Session {
    pub(crate) fn new(config: &str, schema: Option<&str>) -> Result<Self, PostgresError> {
        let mut config: Config = config.parse().map_err(|_| PostgresError::Config)?;
        if let Some(name) = schema.filter(|name| name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains('\0'))
        {
            return Err(PostgresError::SchemaName { name: name.to_owned() });
        }
        // A server that has vanished holds up all projections of a runner: it is not waited for as long as the system would.
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(PATIENCE);
        }
        // Notices of the server, such as that a table exists already, are nobody's business.
        config.notice_callback(|_| {});
        let place = Place::new(&config, schema);
        Ok(Self { config, schema: schema.map(str::to_owned), place })
    }

    /// A connection that sees the schema.
    pub(crate) fn connect(&self) -> Result<Client, PostgresError> {
        let failed = |error| PostgresError::Connect { place: self.place.clone(), error };
        let mut client = self.config.connect(NoTls).map_err(failed)?;
        if let Some(schema) = &self.schema {
            client.batch_execute(&format!("SET search_path TO {}", quoted(schema))).map_err(failed)?;
        }
        Ok(client)
    }

    /// A connection that cannot change anything.
    pub(crate) fn connect_to_read(&self) -> Result<Client, PostgresError> {
        let mut client = self.connect()?;
        client.batch_execute("SET default_transaction_read_only = on").map_err(|error| self.failed(error))?;
        Ok(client)
    }

    /// A connection to a schema and tables that are there, made if need be.
    pub(crate) fn connect_and_set_up(&self) -> Result<Client, PostgresError> {
        let mut client = self.connect()?;
        let schema = self.schema.as_deref().map(|name| (name, quoted(name)));
        tables::set_up(&mut client, schema).map_err(|error| self.failed(error))?;
        Ok(client)
    }

    pub(crate) fn failed(&self, error: postgres::Error) -> PostgresError {
        PostgresError::Database { place: self.place.clone(), error }
    }
}

/// Takes the projection's advisory lock for this session; `false` while another session has it.
///
/// Advisory locks are of a database, and a projection is of a schema: both are in the key.
pub(crate) fn try_claim(client: &mut Client, projection: &ProjectionId) -> Result<bool, postgres::Error> {
    let text = "SELECT pg_try_advisory_lock(
                    hashtextextended('gesta ' || coalesce(current_schema()::text, '') || ' ' || $1, 0))";
    client.query_typed_one(text, &[(&projection.to_string(), Type::TEXT)])?.try_get(0)
}

/// Whether a connection can still be used after an error: only where the server refused no more than what was asked.
pub(crate) fn is_usable_after(error: &postgres::Error) -> bool {
    error.as_db_error().is_some_and(|said| said.parsed_severity() == Some(Severity::Error))
}

/// A name as SQL takes it, whatever it holds.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
