//! The way to a server: connections that come and go beneath requests that stay.
//!
//! ```text
//!  carrier      requests of one plane, over one connection after another    Carrier
//!  connection   requests out under ids, answers back in any order           Connection
//!  pulse        pings, and when to stop believing
//!  greeting     connect, hello, welcome                                     Target
//!  exchange     frames in both directions
//!  transport    plain or encrypted
//!  tls          whom it trusts                                              Encryption
//!
//!  job          what is asked                                               Question
//!  feed         the way of an answer to whoever asked                       FeedReader, Delivery
//!  fault        why there is none                                           Fault
//!  backoff      how long to wait before the next try
//!  knowledge    what has been learnt of the store
//! ```

mod backoff;
mod carrier;
mod connection;
mod exchange;
mod fault;
mod feed;
mod greeting;
mod job;
mod knowledge;
mod pulse;
mod tls;
mod transport;

pub(crate) use backoff::Backoff;
pub(crate) use carrier::{Alive, Carrier};
pub(crate) use fault::Fault;
pub(crate) use feed::{Delivery, FeedReader};
pub(crate) use greeting::Target;
pub(crate) use job::Question;
pub(crate) use knowledge::Knowledge;
pub(crate) use tls::Encryption;
