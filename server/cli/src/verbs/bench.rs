//! `gesta bench`: how fast a store is where it stands, by appending to it and reading it.

use crate::context::Context;
use crate::failure::{Failure, Status, remark};
use crate::load::{Figures, Run, RunSettings, Subject, Workload};
use crate::output::Output;
use gesta::Uuid;
use indicatif::HumanCount;
use serde::Serialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is done with the store
    #[arg(long, value_enum, default_value = "all", value_name = "WORKLOAD")]
    workload: Workload,
    /// Callers at once: connections to a server, threads on a directory
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// How long each workload takes
    #[arg(long, value_name = "S", default_value = "5", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Bytes of data of each event
    #[arg(long, value_name = "N", default_value = "256")]
    event_bytes: usize,
    /// Append to a store that has events already
    #[arg(long)]
    yes: bool,
}

/// What came of it, in the order of its JSON form.
#[derive(Serialize)]
struct Report {
    store: String,
    run: String,
    event_bytes: usize,
    workloads: Vec<Figures>,
    /// Events of this run, read back: as many as receipts were given for.
    appended: u64,
}

/// Loads the store, prints the figures, and reads back what was appended.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let id = run_id();
    let settings = RunSettings {
        connections: arguments.connections.into(),
        round: Duration::from_secs(arguments.seconds),
        event_bytes: arguments.event_bytes,
    };
    let run = Run::new(Subject::open(context)?, id, settings)?;
    consent(&run, arguments.yes)?;
    let store = context.store.as_ref().map(|store| store.to_string_lossy().into_owned()).unwrap_or_default();
    remark(context.is_json, &format!("appends events to {store}: type Bench, streams bench-{}-*", id.simple()));
    let mut output = Output::lock();
    if !context.is_json {
        output.text(HEAD)?;
        output.flush()?;
    }
    let mut workloads = Vec::new();
    run.load(arguments.workload, &mut |figures| {
        if !context.is_json {
            output.text(&row(&figures))?;
            output.flush()?;
        }
        workloads.push(figures);
        Ok(())
    })?;
    let appended = run.count()?;
    if context.is_json {
        let run = id.simple().to_string();
        output.json(&Report { store, run, event_bytes: arguments.event_bytes, workloads, appended })?;
    } else {
        output.text(&format!("{} events were appended, and all of them read back", HumanCount(appended)))?;
    }
    output.flush()?;
    run.close()?;
    Ok(Status::Done)
}

/// Events stay for ever: a store that is in use is not filled with them by mistake.
fn consent(run: &Run, is_said: bool) -> Result<(), Failure> {
    let events = run.earlier_events();
    if events == 0 || is_said {
        return Ok(());
    }
    let message = format!(
        "the store has {events} events, and bench would add events of type Bench in streams bench-* that stay for ever: \
         say --yes, or choose a store of its own"
    );
    Err(Failure::usage(message))
}

/// An id by which the events of this run are told from those of others: when it began, and by whom.
fn run_id() -> Uuid {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Uuid::from_u128(began.as_nanos() << 32 | u128::from(std::process::id()))
}

const HEAD: &str = "workload                 callers        events    events/s      MB/s    p50 us    p99 us  p99.9 us";

fn row(figures: &Figures) -> String {
    let Figures { workload, connections, events, events_per_second, megabytes_per_second, latency_us, .. } = figures;
    let shown = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"));
    let [p50, p99, p999] = match latency_us {
        Some(latency) => [latency.p50, latency.p99, latency.p999].map(|value| shown(Some(value))),
        None => [(); 3].map(|()| shown(None)),
    };
    let (events, megabytes) = (HumanCount(*events).to_string(), shown(*megabytes_per_second));
    format!(
        "{workload:<22}  {connections:>8}  {events:>12}  {events_per_second:>10.0}  {megabytes:>8}  {p50:>8}  {p99:>8}  \
         {p999:>8}"
    )
}
