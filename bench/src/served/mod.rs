//! The rows of the server: what a program pays for a store in another process, over TCP on the same machine.
//!
//! ```text
//!  this process              its children, the same program again
//!    clients  --- TCP -->      --serve    a server of the store
//!    receiver <-- TCP ---      --pour     the raw socket: the bytes of the log's files, written as they are
//!                              --replay   clients that read everything, again and again
//!                              --misbehave  clients that are a burden
//! ```
//!
//! A child says one line when it is ready, and ends when its standard input does: none outlives its parent.

mod appends;
mod beside;
mod child;
mod clients;
mod misbehaviour;
mod raw_socket;
mod replay;
mod replayers;
mod rows;
mod server;
mod subscription;

pub use misbehaviour::{Misbehaviour, misbehave_until_told};
pub use raw_socket::pour;
pub use replayers::replay_until_told;
pub use rows::ROWS;
pub use server::serve;
