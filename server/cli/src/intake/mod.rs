//! Events on their way into a store.
//!
//! ```text
//!  lines    a file or standard input, plain or gzip -> lines of bounded length
//!  loader   events -> append requests, several under way, the ids that are there already left out
//!  tally    what became of the events
//! ```

mod lines;
mod loader;
mod tally;

pub(crate) use lines::{LineSource, LinesError};
pub(crate) use loader::Loader;
pub(crate) use tally::Tally;
