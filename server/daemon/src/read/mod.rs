//! The read plane: what projections, queries and operators ask.
//!
//! ```text
//!  requests   frames of one connection -> lookups, answered at once | streams, each a task of its own
//!  stream     a read or a subscription: as much as the client has given credit for
//!  course     where the events come from: batches, a cursor, a subscription
//!  credit     how much a client takes
//!  outbox     the way to the client: bounded in bytes, so that a slow client holds back its own streams alone
//!  lookups    where things stand, names, figures
//!  wait       until a projection has come to a position
//!  long_work  reading every byte of a store
//! ```
//!
//! What must stay true: a client that takes nothing costs its buffer and its deadline; and whoever is let go is told where
//! to go on.

mod course;
mod credit;
mod long_work;
mod lookups;
mod outbox;
mod requests;
mod serve;
mod stream;
mod wait;

pub(crate) use serve::serve;
