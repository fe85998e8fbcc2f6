//! `gesta projections replay-parked`: asks whoever folds a projection to try its parked events again, and waits for that.

use super::shown::{heard, note, people};
use super::verb::{now, unknown, versions};
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use gesta::{ProjectionBoard, ProjectionReport, ProjectionState};
use serde::Serialize;
use std::time::{Duration, Instant};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The projection's name
    name: String,
    /// How many seconds to wait for whoever folds the projection
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    timeout: u64,
}

/// What came of it, in its JSON form.
#[derive(Serialize)]
struct Replayed<'a> {
    name: &'a str,
    parked_before: u64,
    parked: u64,
}

/// How often it is looked whether it has been done.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Asks and waits.
pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let Arguments { name, timeout } = arguments;
    let store = context.open_reader()?;
    let before = parked_count(&versions(&store, name)?);
    if !store.ask_to_replay_parked(name)? {
        return Err(unknown(&store, name)?);
    }
    let deadline = Instant::now().checked_add(Duration::from_secs(*timeout));
    let mut was_done = false;
    let reports = loop {
        let reports = versions(&store, name)?;
        let is_done = !reports.is_empty() && !reports.iter().any(|report| report.is_replay_due);
        // Between taking the asking and saying so, another process shows neither for a moment: once is not enough.
        if is_done && was_done {
            break reports;
        }
        was_done = is_done;
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(not_done(name, *timeout, &reports));
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let parked = parked_count(&reports);
    let mut output = Output::lock();
    if context.is_json {
        output.json(&Replayed { name, parked_before: before, parked })?;
    } else {
        output.text(&format!("tried again: {before} parked before, {parked} now"))?;
    }
    output.flush()?;
    Ok(Status::Done)
}

/// How many events are parked of the versions that are folded.
fn parked_count(reports: &[ProjectionReport]) -> u64 {
    let folded = reports.iter().filter(|report| is_folded(report));
    folded.map(|report| report.status.parked_count).sum()
}

fn is_folded(report: &ProjectionReport) -> bool {
    !matches!(report.status.state, ProjectionState::Superseded { .. })
}

/// Nobody has carried it out: says how the projection is doing, which is the reason.
fn not_done(name: &str, timeout: u64, reports: &[ProjectionReport]) -> Failure {
    let now = now();
    let due = reports.iter().filter(|report| is_folded(report)).map(|report| {
        let (version, state) = (report.status.projection.version, people(&report.status.state));
        let note = note(report).map(|note| format!(" ({note})")).unwrap_or_default();
        format!("version {version} is {state}{note}, {}", heard(report, now))
    });
    let due: Vec<String> = due.collect();
    let reason = if due.is_empty() { "nothing is told of it any more".to_owned() } else { due.join("; ") };
    let message = format!(
        "the parked events of projection {name:?} were not tried again within {timeout} s: {reason}; the asking stays, and is \
         carried out once somebody folds the projection"
    );
    Failure::new(Status::Refused, "not_replayed", message)
}
