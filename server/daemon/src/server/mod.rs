//! Starting and stopping: where everything is put together, once.

mod addresses;
mod descriptors;
mod error;
mod server;

pub use addresses::Addresses;
pub use error::StartError;
pub use server::{Server, StopReport};
