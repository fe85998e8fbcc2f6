//! What every store is put through, in a process of its own.
//!
//! A peer is a program of a few lines: it implements [`Peer`] by the store's own means and calls [`main`]. The driver does
//! the rest in the same way for all of them, so that nobody is measured by another rule.
//!
//! ```text
//!  peer      what a store has to be able to do here
//!  event     the events: what is in them follows from stream and revision, so that what comes back can be judged
//!  work      the rows: appending, filling, opening, replaying, reading a stream
//!  server    what stores need that are servers
//!  outcome   what a row came to, a line of JSON
//!  table     events as rows of a table, for stores of keys and values
//! ```
#![forbid(unsafe_code)]

mod event;
mod outcome;
mod peer;
pub mod server;
pub mod table;
mod work;

pub use event::{Batch, Event, STREAM_COUNT, Seen, TYPES};
pub use outcome::Outcome;
pub use peer::{Failure, Peer};
pub use rustix::process::Signal;
pub use work::main;
