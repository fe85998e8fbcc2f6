//! The rows of commands and projections: what deciding and folding cost beside the bare append and the bare inserts.

mod account;
mod backlog;
mod commands;
mod freshness;
mod models;
mod rows;

pub use rows::rows;
