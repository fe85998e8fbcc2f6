//! `gesta verify`: reads every byte of the store, or of a backup.

use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::json::write_time;
use crate::output::Output;
use crate::place::Place;
use crate::progress::Progress;
use gesta::{BackupVerification, Damage, Position, Timestamp, VerifyReport, is_backup};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<Backup>,
}

/// Of a backup: how far it reaches, and when it was finished.
#[derive(Serialize)]
struct Backup {
    head: u64,
    taken_at: String,
}

/// One place, with the positions that are lost by it, half-open.
#[derive(Serialize)]
pub(super) struct DamagedPlace {
    file: String,
    offset: u64,
    positions: [u64; 2],
    what: String,
}

/// Prints what is damaged.
pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<Status, Failure> {
    let progress = Progress::bytes(0);
    let mut backup = None;
    let report = match context.place()? {
        Place::Directory(directory) if is_backup(directory) => {
            let BackupVerification { head, taken_at, report } =
                gesta::verify_backup(directory, arguments.deep, &mut |done, total| progress.set(done, total))?;
            backup = Some(Backup { head: head.0, taken_at: as_text(taken_at) });
            report
        }
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
        output.json(&Report::new(report, backup))?;
    } else {
        let mut advice = "restore a backup, or save the rest with gesta repair";
        if let Some(Backup { head, taken_at }) = backup {
            let head = HumanCount(head);
            output.text(&format!("a backup of the positions up to {head}, finished at {taken_at}"))?;
            advice = "back the store up into another directory";
        }
        print(&report, advice, &mut output)?;
    }
    output.flush()?;
    Ok(if is_whole { Status::Done } else { Status::Damage })
}

fn as_text(time: Timestamp) -> String {
    let mut text = Vec::new();
    write_time(&mut text, time);
    String::from_utf8(text).expect("a time is written as text")
}

fn print(report: &VerifyReport, advice: &str, output: &mut Output) -> Result<(), Failure> {
    for damage in &report.damage {
        match damage {
            // A file of a backup as a whole: which positions are lost by it, another place tells.
            Damage { file, what, positions, .. } if positions.end == Position::START => {
                output.text(&format!("damage: {file}: {what}"))?;
            }
            damage => output.text(&format!("damage: {damage}"))?,
        }
    }
    let events = match report.events {
        1 => "1 event".to_owned(),
        count => format!("{} events", HumanCount(count)),
    };
    match report.damage.len() {
        0 => output.text(&format!("{events}, every byte as it was written")),
        1 => output.text(&format!("{events} whole, 1 place damaged: {advice}")),
        count => output.text(&format!("{events} whole, {count} places damaged: {advice}")),
    }
}

impl Report {
    fn new(report: VerifyReport, backup: Option<Backup>) -> Self {
        let damage: Vec<DamagedPlace> = report.damage.into_iter().map(DamagedPlace::new).collect();
        Self { ok: damage.is_empty(), events: report.events, damage, backup }
    }
}

impl DamagedPlace {
    pub(super) fn new(Damage { file, offset, positions, what }: Damage) -> Self {
        Self { file, offset, positions: [positions.start.0, positions.end.0], what }
    }
}
