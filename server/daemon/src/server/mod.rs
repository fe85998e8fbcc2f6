//! Starting and stopping: where everything is put together, once.

mod addresses;
mod descriptors;
mod error;
#[expect(clippy::module_inception, reason = "the folder's main type has its own file, as everywhere")]
mod server;

pub use addresses::Addresses;
pub use error::StartError;
pub use server::{Server, StopReport};
