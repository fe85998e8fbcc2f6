//! `gesta verify`: reads every byte of the store.

use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::place::Place;
use crate::progress::Progress;
use gesta::{Damage, VerifyReport};
use indicatif::HumanCount;
use serde::Serialize;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Check each event's own checksum, place and names as well
    #[arg(long)]
    deep: bool,
}

/// The report, in the order of its JSON form.
#[derive(Serialize)]
struct Report {
    ok: bool,
    events: u64,
    damage: Vec<DamagedPlace>,
}

/// One place, with the positions that are lost by it, half-open.
#[derive(Serialize)]
struct DamagedPlace {
    file: String,
    offset: u64,
    positions: [u64; 2],
    what: String,
}

/// Prints what is damaged.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let progress = Progress::bytes(0);
    let report = match context.place()? {
        Place::Directory(directory) => {
            gesta::verify(directory, arguments.deep, &mut |done, total| progress.set(done, total))?
        }
        Place::Server(client) => {
            let findings = client.verify(arguments.deep, |work| progress.set(work.done, work.total))?;
            VerifyReport { events: findings.events, damage: findings.damage }
        }
    };
    drop(progress);
    let is_whole = report.damage.is_empty();
    let mut output = Output::lock();
    if context.is_json {
        output.json(&Report::new(report))?;
    } else {
        print(&report, &mut output)?;
    }
    output.flush()?;
    Ok(if is_whole { Status::Done } else { Status::Damage })
}

fn print(report: &VerifyReport, output: &mut Output) -> Result<(), Failure> {
    for damage in &report.damage {
        output.text(&format!("damage: {damage}"))?;
    }
    let events = match report.events {
        1 => "1 event".to_owned(),
        count => format!("{} events", HumanCount(count)),
    };
    match report.damage.len() {
        0 => output.text(&format!("{events}, every byte as it was written")),
        1 => output.text(&format!("{events} whole, 1 place damaged: restore it from a backup")),
        count => output.text(&format!("{events} whole, {count} places damaged: restore them from a backup")),
    }
}

impl Report {
    fn new(report: VerifyReport) -> Self {
        let place = |Damage { file, offset, positions, what }| {
            let positions = [positions.start.0, positions.end.0];
            DamagedPlace { file, offset, positions, what }
        };
        let damage: Vec<DamagedPlace> = report.damage.into_iter().map(place).collect();
        Self { ok: damage.is_empty(), events: report.events, damage }
    }
}
