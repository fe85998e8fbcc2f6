//! `gesta snapshots list` and `gesta snapshots drop`: fold states that programs have saved.
//!
//! They spare time and nothing depends on them: whatever is dropped, every answer stays the same.

use crate::context::Context;
use crate::failure::{Failure, OneLine, Status};
use crate::output::Output;
use crate::place::Place;
use gesta::{EventReader, EventStore, Reader, SnapshotInfo};
use indicatif::HumanCount;
use serde::Serialize;
use std::io::{IsTerminal, Write as _};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Print the snapshots, with the position of each and the size of its data
    List(Arguments),
    /// Drop the snapshots for good; programs make them anew from the events
    Drop(Arguments),
}

/// The arguments of both.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only snapshots whose keys begin with this
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
}

/// A snapshot in its JSON form.
#[derive(Serialize)]
struct Listed<'a> {
    key: &'a str,
    schema: u32,
    position: u64,
    data_bytes: u64,
}

/// How many were dropped, in its JSON form.
#[derive(Serialize)]
struct Dropped {
    dropped: u64,
}

/// Does one of both.
pub(crate) fn run(verb: &Verb, context: &Context) -> Result<Status, Failure> {
    match verb {
        Verb::List(arguments) => list(&arguments.prefix, context),
        Verb::Drop(arguments) => drop_all(&arguments.prefix, context),
    }
}

fn list(prefix: &str, context: &Context) -> Result<Status, Failure> {
    let snapshots = context.open_reader()?.snapshots(prefix)?;
    let mut output = Output::lock();
    if context.is_json {
        for SnapshotInfo { key, schema, position, data_bytes } in &snapshots {
            output.json(&Listed {
                key: key.as_str(),
                schema: *schema,
                position: position.0,
                data_bytes: *data_bytes,
            })?;
        }
    } else {
        print(&snapshots, &mut output)?;
    }
    output.flush()?;
    Ok(Status::Done)
}

/// One line a snapshot; on a terminal below a line that says what the columns are.
fn print(snapshots: &[SnapshotInfo], output: &mut Output) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() && !snapshots.is_empty() {
        output.text(&format!("{:>10}  {:>10}  {:>6}  key", "position", "bytes", "schema"))?;
    }
    snapshots.iter().try_for_each(|SnapshotInfo { key, schema, position, data_bytes }| {
        output.line(|out| {
            write!(out, "{:>10}  {data_bytes:>10}  {schema:>6}  {}", position.0, OneLine(key.as_str()))
                .expect("writing to memory does not fail");
        })
    })
}

fn drop_all(prefix: &str, context: &Context) -> Result<Status, Failure> {
    if let Place::Directory(directory) = context.place()? {
        // A store that is not there has no snapshots: it is not to be made for that.
        Reader::open(directory)?;
    }
    let store = context.open_store()?;
    let dropped = store.drop_snapshots(prefix)?;
    store.close()?;
    let mut output = Output::lock();
    if context.is_json {
        output.json(&Dropped { dropped })?;
    } else {
        let what = if dropped == 1 { "snapshot" } else { "snapshots" };
        output.text(&format!("{} {what} dropped", HumanCount(dropped)))?;
    }
    output.flush()?;
    Ok(Status::Done)
}
