//! The rows, and the command line of every peer.
//!
//! ```text
//!  driven    what the command line asks for, and what is printed
//!  append    appending for a time, and whether all of it is there afterwards
//!    choice  which stream comes next
//!  fill      a store that the other rows read
//!  read      opening, replaying, reading streams
//!  measured  what a row hands back
//!  memory    memory that is not a file's
//! ```

mod append;
mod choice;
mod driven;
mod fill;
mod measured;
mod memory;
mod read;

pub use driven::main;
