//! The real server among strangers: thousands of connections at once, or as many that take for ever.
//!
//! ```text
//!  trials  who comes, and what must be true meanwhile
//!  flood   a process that opens connections and keeps them
//!  guest   one who does everything right, and is served all the while
//! ```

mod flood;
mod guest;
mod trials;
