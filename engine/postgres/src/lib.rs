//! gesta-postgres: read models in PostgreSQL, each step of a projection in one transaction.
//!
//! ```text
//!  Runner ──► PostgresReadModel ──► transaction: the checkpoint, locked and compared
//!                   │                            rows, by the projection
//!                   │                            parked events, the new checkpoint
//!                   └── claim: an advisory lock of the session, so that another runner stands by
//!
//!  QueryHandler ──► PostgresReader ──► transaction: the checkpoint and the rows, of one snapshot
//! ```
//!
//! The tables of a projection are its own; `gesta_checkpoints` and `gesta_parked` are ours. Any other connection to the
//! database may look at the rows as well: it sees whole steps only.
//!
//! What must stay true: a step that has been committed moved the checkpoint from exactly where its runner believed it. The
//! claim only keeps runners from getting into each other's way: it is gone with its connection.
//!
//! A model waits for its server on the thread that calls it, which must not be one of an asynchronous runtime. The advisory
//! lock wants a session of its own: a pooler that hands out transactions takes it away. A host that vanishes without a word
//! keeps its claim until the server notices; the settings `tcp_keepalives_idle` (the server's) and `keepalives_idle` (of
//! the connection) say how soon that is.
#![forbid(unsafe_code)]

mod error;
mod place;
mod read_model;
mod reader;
mod rows;
mod session;
mod step;
mod tables;

pub use error::PostgresError;
pub use place::Place;
/// The client, whose transactions and errors projections handle.
pub use postgres;
pub use read_model::PostgresReadModel;
pub use reader::PostgresReader;
pub use rows::PostgresRows;
