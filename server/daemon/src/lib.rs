//! The gesta server: commands in on one plane, projections out on the other.
//!
//! ```text
//!  server            starts and stops everything, once
//!  append | read     the two planes: each with its own port, threads and limits; they never name each other
//!  plane             what both have in common: who is let in, frames in and out
//!  host              what all connections share
//!  stores            the stores, one directory each, opened when they are first asked for
//!  access, tls       who may do what; encryption
//!  observe, operator what the server tells of itself, and the port where it does
//!  settings          what the server is told
//! ```
//!
//! Sockets are served by tokio, storage by the threads of the store. docs/PROTOCOL.md says what goes over the wire.
#![forbid(unsafe_code)]

pub mod access;
mod append;
mod host;
pub mod observe;
pub mod operator;
mod plane;
mod read;
mod server;
pub mod settings;
mod stores;
pub mod tls;

pub use server::{Addresses, Server, StartError, StopReport};
pub use stores::{StoreError, StoreName, StoreNameError};
