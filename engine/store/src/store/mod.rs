//! The store: both sides wired together, once.

mod event_store;
mod handle;
mod open;

pub use handle::Store;
pub use open::is_store;
