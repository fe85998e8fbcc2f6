//! A cluster of PostgreSQL in a directory of its own, with the settings that `initdb` makes.
//!
//! Two programs measure it: `gesta-peer-postgres`, with a table of events as one would make it, and `gesta-peer-message-db`,
//! with the tables and functions of message-db.

mod cluster;

pub use cluster::{Cluster, Session};
