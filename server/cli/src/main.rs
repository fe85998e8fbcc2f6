//! `gesta`: the command line of the gesta event store.
//!
//! ```text
//!  run          parse the arguments, call one verb, say what failed, choose the exit status
//!  verbs        one file a verb
//!  intake       lines -> events -> append requests, the ids that are there already left out
//!  load         callers that append and read at once, for `gesta bench`
//!  json         an event as one line of JSON, in both directions
//!  git          the history of a repository as events
//!  context      --store and --json, and the opening of stores
//!  place        a store in a directory or behind a server, the same to a verb
//!  failure      what a failure says, and the exit statuses
//!  output       standard output; nothing but results goes there
//! ```
//!
//! Standard output carries results only; progress and remarks go to standard error.
#![forbid(unsafe_code)]

mod context;
mod failure;
mod git;
mod human;
mod intake;
mod json;
mod load;
mod output;
mod place;
mod progress;
mod run;
mod verbs;

use std::process::ExitCode;

fn main() -> ExitCode {
    run::run()
}
