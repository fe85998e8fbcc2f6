//! The rows of commands and projections: what deciding and folding cost beside the bare append and the bare inserts.
//!
//! ```text
//!  account    the domain: deposits to accounts
//!  target     where rows go: memory, sqlite, postgres
//!  backlog    a backlog folded, beside the bare inserts
//!  rebuilt    a rebuild in two parts, beside one in one
//!  freshness  from an append to its row, beside the row written by hand
//!  waited     commands whose rows are waited for, beside the same without the wait
//!  commands   commands from end to end, beside the bare append
//! ```

mod account;
mod backlog;
#[path = "../../../engine/postgres/tests/postgres/cluster.rs"]
#[allow(dead_code, reason = "tests use the rest of it")]
mod cluster;
mod commands;
mod freshness;
mod memory;
mod postgres;
mod rebuilt;
mod rows;
mod sqlite;
mod target;
mod waited;

pub use rows::rows;
