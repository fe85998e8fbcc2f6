//! `gesta repair`: a new store of what is left of a damaged one.

use super::backup::not_on_a_server;
use super::verify::DamagedPlace;
use crate::context::Context;
use crate::failure::{Failure, OneLine, Status};
use crate::output::Output;
use crate::place::Place;
use crate::progress::Progress;
use gesta::{Damage, LOST_EVENT_TYPE, RepairReport};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of the damaged store, which is only read
    #[arg(value_name = "DIR")]
    from: PathBuf,
    /// The directory of the new store, which must be empty or missing; without it, the one that --store names
    #[arg(long, value_name = "NEW")]
    into: Option<PathBuf>,
}

/// The report, in the order of its JSON form.
#[derive(Serialize)]
struct Report {
    ok: bool,
    /// The id of the new store.
    made: Option<String>,
    head: u64,
    salvaged: u64,
    salvaged_bytes: u64,
    missing: u64,
    in_streams: u64,
    damage: Vec<DamagedPlace>,
    doubtful_end: Option<DamagedPlace>,
}

/// Makes the new store and prints what is missing in it.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let into = match &arguments.into {
        Some(into) => into,
        None => match context.place()? {
            Place::Directory(directory) => directory,
            Place::Server(_) => return Err(not_on_a_server("repair")),
        },
    };
    let progress = Progress::bytes(0);
    let report = gesta::repair(&arguments.from, into, &mut |done, total| progress.set(done, total))?;
    drop(progress);
    let is_whole = report.damage.is_empty();
    let mut output = Output::lock();
    if context.is_json {
        output.json(&Report::new(report))?;
    } else {
        print(&report, &arguments.from, into, &mut output)?;
    }
    output.flush()?;
    Ok(if is_whole { Status::Done } else { Status::Damage })
}

fn print(report: &RepairReport, from: &Path, into: &Path, output: &mut Output) -> Result<(), Failure> {
    let (from, into) = (from.display(), into.display());
    if let Some(end) = &report.doubtful_end {
        let Damage { file, offset, what, .. } = end;
        output.text(&format!("the end of the log is in doubt: {file} at byte {offset}: {what}"))?;
    }
    let salvaged = counted(report.salvaged);
    if report.made.is_none() {
        return output.text(&format!("{salvaged}, nothing damaged, and so nothing made: {from} can be used as it is"));
    }
    print_table(&report.damage, output)?;
    let (head, bytes) = (HumanCount(report.head.0), HumanBytes(report.salvaged_bytes));
    output.text(&format!("{into}: positions up to {head}, {salvaged} salvaged ({bytes})"))?;
    let (missing, in_streams) = (counted(report.missing), HumanCount(report.in_streams));
    output.text(&format!(
        "{missing} missing, with a stand-in of type {LOST_EVENT_TYPE} for each, {in_streams} in streams"
    ))
}

fn counted(events: u64) -> String {
    if events == 1 { "1 event".to_owned() } else { format!("{} events", HumanCount(events)) }
}

/// What is missing, by position, one line each.
fn print_table(damage: &[Damage], output: &mut Output) -> Result<(), Failure> {
    let rows: Vec<[String; 4]> = damage.iter().map(row).collect();
    let heads = ["missing", "events", "where", "what"].map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&heads]).map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let (positions, events, place) = (width(0), width(1), width(2));
    for [first, second, third, last] in [&heads].into_iter().chain(&rows) {
        output.text(&format!("{first:<positions$}  {second:>events$}  {third:<place$}  {last}"))?;
    }
    Ok(())
}

/// Positions as a person counts them, the last one included.
fn row(damage: &Damage) -> [String; 4] {
    let Damage { file, offset, positions, what } = damage;
    let count = positions.end.since(positions.start);
    let shown = match count {
        0 => "-".to_owned(),
        1 => positions.start.to_string(),
        _ => format!("{} to {}", positions.start, positions.end.0 - 1),
    };
    let name = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
    [shown, HumanCount(count).to_string(), format!("{} at byte {offset}", OneLine(&name)), OneLine(what).to_string()]
}

impl Report {
    fn new(report: RepairReport) -> Self {
        Self {
            ok: report.damage.is_empty(),
            made: report.made.map(|id| id.to_string()),
            head: report.head.0,
            salvaged: report.salvaged,
            salvaged_bytes: report.salvaged_bytes,
            missing: report.missing,
            in_streams: report.in_streams,
            damage: report.damage.into_iter().map(DamagedPlace::new).collect(),
            doubtful_end: report.doubtful_end.map(DamagedPlace::new),
        }
    }
}
