//! A database as queries see it.

use crate::session::Session;
use crate::{PostgresError, PostgresRows};
use gesta_cqrs::{ReadView, Serving};
use gesta_model::Position;
use parking_lot::Mutex;
use postgres::Client;
use std::fmt;

/// A database, or a schema in it, as queries see it: through a connection of its own that cannot write.
///
/// The tables must be there: they are made by who folds into them. A connection that broke between two questions is made anew;
/// the question under which it breaks fails.
///
/// ```no_run
/// use gesta_cqrs::{QueryHandler, Question};
/// use gesta_postgres::{PostgresReader, PostgresRows};
/// use std::error::Error;
///
/// struct OrderCount;
///
/// impl Question<PostgresRows> for OrderCount {
///     type Answer = i64;
///
///     fn name(&self) -> &str {
///         "order count"
///     }
///
///     fn answer(&self, rows: &PostgresRows) -> Result<i64, Box<dyn Error + Send + Sync>> {
///         Ok(rows.query_one("SELECT count(*) FROM orders", &[])?.try_get(0)?)
///     }
/// }
///
/// let reader = PostgresReader::connect("host=/run/postgresql dbname=shop")?;
/// let answered = QueryHandler::new(reader, "orders").ask(&OrderCount)?;
/// println!("{} orders, as of position {}", answered.answer, answered.position);
/// # Ok::<(), Box<dyn Error>>(())
/// ```
///
/// What must stay true: a connection is kept only outside of a transaction. What panics or fails within one drops it, so that
/// the server ends the transaction.
pub struct PostgresReader {
    session: Session,
    /// `None` after it was dropped, and while somebody looks.
    rows: Mutex<Option<PostgresRows>>,
}

impl PostgresReader {
    /// Connects to a database, and sees the schema that it shows first. `config` is what libpq takes.
    pub fn connect(config: &str) -> Result<Self, PostgresError> {
        Self::open(Session::new(config, None)?)
    }

    /// Connects to a schema of a database.
    pub fn connect_to_schema(config: &str, schema: &str) -> Result<Self, PostgresError> {
        Self::open(Session::new(config, Some(schema))?)
    }

    /// The connection by itself, made anew if it was dropped.
    pub fn into_client(self) -> Result<Client, PostgresError> {
        let kept = self.rows.into_inner();
        kept.map_or_else(|| self.session.connect_to_read(), |rows| Ok(rows.into_client()))
    }

    pub(crate) fn open(session: Session) -> Result<Self, PostgresError> {
        let rows = Mutex::new(Some(PostgresRows::connect(&session)?));
        Ok(Self { session, rows })
    }

    /// Rows as they are now, and how far they have come.
    fn begin(
        &self,
        kept: Option<PostgresRows>,
        projection: &str,
    ) -> Result<(PostgresRows, Option<Serving>), PostgresError> {
        // That a connection has broken shows when it is used.
        if let Some(rows) = kept
            && let Ok(stands) = rows.begin(projection)
        {
            return Ok((rows, stands));
        }
        let rows = PostgresRows::connect(&self.session)?;
        let stands = rows.begin(projection)?;
        Ok((rows, stands))
    }
}

impl ReadView for PostgresReader {
    type Rows = PostgresRows;
    type Error = PostgresError;

    fn look<T>(&self, projection: &str, look: impl FnOnce(&PostgresRows) -> T) -> Result<(T, Position), PostgresError> {
        let mut kept = self.rows.lock();
        let (rows, stands) = self.begin(kept.take(), projection)?;
        let seen = look(&rows);
        rows.end()?;
        *kept = Some(rows);
        Ok((seen, stands.map_or(Position::START, |serving| serving.checkpoint.position)))
    }
}

impl fmt::Debug for PostgresReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresReader").field("place", &self.session.place).finish_non_exhaustive()
    }
}
