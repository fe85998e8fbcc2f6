//! Reading from a server: what is taken is fetched, and what was taken is never fetched again.
//!
//! ```text
//!  Cursor         a bounded read
//!  Subscription   an unbounded read
//!  reading        what both have in common: one read over many connections
//!  scope          what is left of a read
//!  frame_walk     the events of one received frame
//! ```

mod cursor;
mod frame_walk;
mod reading;
mod scope;
mod subscription;

pub use cursor::Cursor;
pub use subscription::Subscription;
