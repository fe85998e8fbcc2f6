//! The stores of a server: one directory each below the server's own, opened when they are first asked for.
//!
//! ```text
//!  directory/server.lock     held as long as a server runs on the directory
//!  directory/NAME/           the store NAME; `default` is there from the start
//! ```

mod error;
mod file_system;
mod herald;
mod name;
mod open_store;
mod shelf;

pub use error::StoreError;
pub use name::{StoreName, StoreNameError};
pub(crate) use open_store::OpenStore;
pub(crate) use shelf::Shelf;
