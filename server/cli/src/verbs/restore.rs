//! `gesta restore`: a store made of a backup.

use super::backup::not_on_a_server;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::place::Place;
use crate::progress::Progress;
use indicatif::HumanCount;
use serde::Serialize;
use std::path::PathBuf;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of the backup; the store is made in the directory that --store names, which must be empty or missing
    #[arg(value_name = "DIR")]
    from: PathBuf,
}

/// The report, in the order of its JSON form.
#[derive(Serialize)]
struct Report {
    head: u64,
}

/// Makes the store and prints how far it reaches.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let Place::Directory(store) = context.place()? else { return Err(not_on_a_server("restore")) };
    let progress = Progress::bytes(0);
    let head = gesta::restore(&arguments.from, store, &mut |done, total| progress.set(done, total))?;
    drop(progress);
    let mut output = Output::lock();
    if context.is_json {
        output.json(&Report { head: head.0 })?;
    } else {
        output.text(&format!("restored, positions up to {}", HumanCount(head.0)))?;
    }
    output.flush()?;
    Ok(Status::Done)
}
