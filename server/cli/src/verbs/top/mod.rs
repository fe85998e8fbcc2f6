//! `gesta top`: a server as it works, on a screen that is drawn anew every second.
//!
//! ```text
//!  source    where snapshots come from: one function, which asks the server for one
//!  figures   two snapshots, and the time between them -> rates, sizes, response times
//!  screen    figures -> characters; pure
//!  numbers   figures as short texts
//!  watch     a thread asks, the terminal shows, keys and signals end it
//!  verb      what the command line says, and which of the three ways to show it
//! ```

mod figures;
mod numbers;
mod screen;
mod source;
mod verb;
mod watch;

pub(crate) use verb::{Arguments, run};

#[cfg(test)]
mod screen_test;
#[cfg(test)]
mod watch_test;
