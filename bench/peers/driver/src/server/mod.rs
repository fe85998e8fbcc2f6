//! What stores need that are servers: each is started on loopback, in a folder of its own, by the program that measures it.
//!
//! ```text
//!  installed   where its program is
//!  process     the server while it runs
//!  pool        a connection for each thread
//! ```

mod installed;
mod pool;
mod process;

pub use installed::installed;
pub use pool::Pool;
pub use process::{Server, free_port};
