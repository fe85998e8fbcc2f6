//! Read models in SQLite: rows, checkpoint and parked events in one database file.
//!
//! The tables of a projection are its own; those whose names begin with `gesta_` are ours. Queries are made by any
//! other connection to the file, also of another process: it sees whole steps only.

mod blame;
mod error;
mod read_model;
mod reader;
mod tables;

pub use error::SqliteError;
pub use read_model::SqliteReadModel;
pub use reader::SqliteReader;
