//! The store: both sides wired together, once.

mod handle;
mod open;

pub use handle::Store;
