//! The verbs, and those that only look.

use super::shown::{Shown, columns, print_page, print_row};
use super::{replay, wait};
use crate::context::Context;
use crate::failure::{Failure, OneLine, Status};
use crate::output::Output;
use gesta::{ProjectionBoard, ProjectionReport, Timestamp};
use std::io::IsTerminal;
use std::time::{SystemTime, UNIX_EPOCH};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verb {
    /// Print the projections, with how far each is and how it is doing
    List(List),
    /// Print how one projection is doing, each of its versions
    Status(Named),
    /// Wait until a projection has folded everything below a position
    Wait(wait::Arguments),
    /// Have the parked events of a projection tried again by whoever folds it
    ReplayParked(replay::Arguments),
}

/// The arguments of the list.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only projections whose names begin with this
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
}

/// A projection.
#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// The projection's name
    name: String,
}

/// Does one of them.
pub(crate) fn run(verb: &Verb, context: &Context) -> Result<Status, Failure> {
    match verb {
        Verb::List(arguments) => list(&arguments.prefix, context),
        Verb::Status(arguments) => status(&arguments.name, context),
        Verb::Wait(arguments) => wait::run(arguments, context),
        Verb::ReplayParked(arguments) => replay::run(arguments, context),
    }
}

fn list(prefix: &str, context: &Context) -> Result<Status, Failure> {
    let reports = context.open_reader()?.projections(prefix)?;
    let now = now();
    let mut output = Output::lock();
    if context.is_json {
        reports.iter().try_for_each(|report| output.json(&Shown::of(report, now)))?;
    } else {
        let width = reports.iter().map(|report| OneLine(&report.status.projection.name).to_string().chars().count());
        let width = width.max().unwrap_or(0);
        if std::io::stdout().is_terminal() && !reports.is_empty() {
            output.text(&columns(width))?;
        }
        reports.iter().try_for_each(|report| print_row(&mut output, width, report, now))?;
    }
    output.flush()?;
    Ok(Status::Done)
}

fn status(name: &str, context: &Context) -> Result<Status, Failure> {
    let store = context.open_reader()?;
    let reports = versions(&store, name)?;
    if reports.is_empty() {
        return Err(unknown(&store, name)?);
    }
    let now = now();
    let mut output = Output::lock();
    for report in &reports {
        if context.is_json {
            output.json(&Shown::of(report, now))?;
        } else {
            print_page(&mut output, report, now)?;
        }
    }
    output.flush()?;
    Ok(Status::Done)
}

/// What was told of the versions of one projection.
pub(super) fn versions(store: &impl ProjectionBoard, name: &str) -> Result<Vec<ProjectionReport>, Failure> {
    let mut reports = store.projections(name)?;
    reports.retain(|report| report.status.projection.name == name);
    Ok(reports)
}

/// Nobody has told of a projection of that name: says of which ones somebody has.
pub(super) fn unknown(store: &impl ProjectionBoard, name: &str) -> Result<Failure, Failure> {
    const NAMED_MAX: usize = 20;
    let mut names: Vec<String> =
        store.projections("")?.into_iter().map(|report| report.status.projection.name).collect();
    names.dedup();
    let more = if names.len() > NAMED_MAX { ", ..." } else { "" };
    names.truncate(NAMED_MAX);
    let known = match &names[..] {
        [] => "the store was told of no projection: is one folded from it?".to_owned(),
        names => format!("it was told of {}{more}", names.join(", ")),
    };
    let message = format!("nobody has told the store of a projection {name:?}: {known}");
    Ok(Failure::new(Status::Refused, "unknown_projection", message))
}

/// The moment of now.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
