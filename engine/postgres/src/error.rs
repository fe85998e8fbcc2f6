//! Why a read model in PostgreSQL fails.

use crate::Place;
use gesta_cqrs::ProjectionId;
use std::error::Error;
use thiserror::Error;

/// Why a read model in PostgreSQL fails.
#[derive(Debug, Error)]
pub enum PostgresError {
    /// The settings of the connection cannot be read. They are not repeated: they may hold a password.
    #[error(
        "the settings of the connection cannot be read: write `host=... user=... dbname=...` or `postgres://user@host/database`"
    )]
    Config,
    /// A schema cannot have this name: PostgreSQL would cut it short.
    #[error("a schema cannot have the name {name:?}: give it one of 1 to 63 bytes")]
    SchemaName {
        /// The name.
        name: String,
    },
    /// There is no connection to the database.
    #[error("no connection to {place}: {}", chain(error))]
    Connect {
        /// Which database.
        place: Place,
        /// What went wrong.
        error: postgres::Error,
    },
    /// The database says no, or the connection broke: then the next call makes a new one.
    #[error("{place}: {}", chain(error))]
    Database {
        /// Which database.
        place: Place,
        /// What went wrong.
        error: postgres::Error,
    },
    /// The connection broke, and with it the claim; another runner has it now, or the server still believes in the old
    /// connection. Each later call asks for it again.
    #[error("{place}: the claim on {projection} was lost with the connection, and is not free")]
    ClaimLost {
        /// Which database.
        place: Place,
        /// The projection.
        projection: ProjectionId,
    },
}

/// What an error of the client says, with its causes: by itself it names no more than their kind.
pub(crate) fn chain(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
