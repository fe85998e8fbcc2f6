//! A client of gesta servers: async, and blocking on top of it.
//!
//! ```text
//!  Client           what every store can do, over a connection a plane; and what an operator asks
//!    Ticket           the outcome of a submitted append
//!    Cursor           a bounded read          }  go on by themselves
//!    Subscription     an unbounded read       }  when a connection breaks
//!  BlockingClient   the same as a gesta_model::EventStore, for programs without a runtime
//!  Address, ClientOptions, Tls
//! ```
//!
//! An append is always made under a request id, so that it can be made again after a broken connection and still be in the log
//! once. A reader knows its position, so that it can go on over another connection without gap or duplicate.
#![forbid(unsafe_code)]

mod address;
mod ask;
mod blocking;
mod client;
mod connect_error;
mod core;
mod ids;
mod operator;
mod options;
mod projections;
mod read;
mod snapshots;
mod wire;

pub use address::{Address, AddressError};
pub use blocking::{BlockingClient, BlockingCursor, BlockingSubscription, BlockingTicket};
pub use client::{Client, Ticket};
pub use connect_error::ConnectError;
pub use gesta_protocol::{IndexFindings, LogFindings, Plane, Work};
pub use options::{ClientOptions, Tls};
pub use read::{Cursor, Subscription};
