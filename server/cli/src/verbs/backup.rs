//! `gesta backup`: the store as of now, in another directory, beside whoever writes to it.

use super::verify::DamagedPlace;
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::place::Place;
use crate::progress::Progress;
use gesta::BackupReport;
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;
use std::path::PathBuf;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of the backup; one that an earlier run made gets what is new
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

/// The report, in the order of its JSON form.
#[derive(Serialize)]
struct Report {
    ok: bool,
    head: u64,
    linked: u64,
    copied: u64,
    kept: u64,
    added_bytes: u64,
    bytes: u64,
    damage: Vec<DamagedPlace>,
}

/// Makes the backup and prints what it came to.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let Place::Directory(store) = context.place()? else { return Err(not_on_a_server("backup")) };
    let progress = Progress::bytes(0);
    let report = gesta::backup(store, &arguments.to, &mut |done, total| progress.set(done, total))?;
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

/// Files are linked and copied where they are.
pub(super) fn not_on_a_server(verb: &str) -> Failure {
    let advice = "run it on the server's machine, with the store's directory: --store DIR/NAME";
    Failure::usage(format!("--store: '{verb}' works on files and not through a server: {advice}"))
}

fn print(report: &BackupReport, output: &mut Output) -> Result<(), Failure> {
    for damage in &report.damage {
        output.text(&format!("damage: {damage}"))?;
    }
    let BackupReport { head, linked, copied, kept, .. } = report;
    let (events, added, all) = (HumanCount(head.0), HumanBytes(report.added_bytes), HumanBytes(report.bytes));
    output.text(&format!(
        "positions up to {events} in {all}: {linked} files linked, {copied} copied ({added}), {kept} there before"
    ))?;
    if report.damage.is_empty() {
        return Ok(());
    }
    output.text("the store itself is damaged there, and so is what was added: restore an earlier backup")
}

impl Report {
    fn new(report: BackupReport) -> Self {
        Self {
            ok: report.damage.is_empty(),
            head: report.head.0,
            linked: report.linked,
            copied: report.copied,
            kept: report.kept,
            added_bytes: report.added_bytes,
            bytes: report.bytes,
            damage: report.damage.into_iter().map(DamagedPlace::new).collect(),
        }
    }
}
