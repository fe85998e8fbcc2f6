//! `gesta projections wait`: until a projection has come to a position, for scripts.

use super::verb::unknown;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use gesta::{Position, ProjectionBoard, WaitError};
use serde::Serialize;
use std::time::Duration;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The projection's name
    name: String,
    /// Where it is to be: everything below is folded; the head of an append's receipt will do
    position: u64,
    /// How many seconds to wait for it
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    timeout: u64,
}

/// What came of it, in its JSON form.
#[derive(Serialize)]
struct Reached<'a> {
    name: &'a str,
    reached: u64,
}

/// Waits.
pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let Arguments { name, position, timeout } = arguments;
    let store = context.open_reader()?;
    match store.wait_for_projection(name, Position(*position), Duration::from_secs(*timeout)) {
        Ok(()) => {}
        Err(WaitError::Unknown { .. }) => return Err(unknown(&store, name)?),
        Err(error) => return Err(error.into()),
    }
    if context.is_json {
        let mut output = Output::lock();
        output.json(&Reached { name, reached: *position })?;
        output.flush()?;
    }
    Ok(Status::Done)
}
