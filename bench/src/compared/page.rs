//! The tables and charts of docs/BENCHMARKS.md, and the same as JSON.

use super::chart;
use super::figures::Figures;
use super::goals;
use super::peer::Program;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::report::{digits, short};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const APPENDS: [&str; 6] =
    ["durable-1", "durable-16", "durable-64", "durable-1x100", "unsynced-1", "unsynced-1x100"];
/// What is written by a run stands between these lines of the page.
const BEGIN: &str = "<!-- compare: begin -->";
const END: &str = "<!-- compare: end -->";

/// All tables, as Markdown.
#[must_use]
pub fn tables(machine: &Machine, programs: &[Program], figures: &Figures) -> String {
    let mut page = format!(
        "{}, Linux {}, {}, load {} before, {}, commit {}: `{}`. 256-byte events, {} rounds of {} s by turns, medians; {} \
         events where a store is read.\n\n",
        machine.processor,
        machine.kernel,
        machine.file_system,
        machine.load,
        machine.date,
        machine.commit,
        machine.command,
        figures.extent.rounds,
        figures.extent.seconds,
        figures.extent.events
    );
    appends(&mut page, programs, figures);
    reads(&mut page, programs, figures);
    page.push_str("| hoped for | came | |\n|---|---|---|\n");
    for judged in goals::judge(figures) {
        let verdict = if judged.is_met { "met" } else { "**missed**" };
        let _ = writeln!(page, "| {} | {} | {verdict} |", judged.hope, digits(judged.came));
    }
    page.push('\n');
    for (peer, row, reason) in figures.missing() {
        let _ = writeln!(page, "- {peer}, {row}: {reason}");
    }
    page
}

fn appends(page: &mut String, programs: &[Program], figures: &Figures) {
    let _ = writeln!(page, "| store | {} |", APPENDS.join(" | "));
    let _ = writeln!(page, "|---{}|", "|---".repeat(APPENDS.len()));
    for program in programs {
        let name = program.peer.name;
        let cells = APPENDS.map(|row| match (figures.median(name, row), figures.times(name, row)) {
            (Some(said), Some(times)) if name != "gesta" => format!("{} (x {})", short(said.rate()), digits(times)),
            (Some(said), _) => format!("**{}**", short(said.rate())),
            (None, _) => String::new(),
        });
        let _ = writeln!(page, "| {name} {} | {} |", version(figures, name), cells.join(" | "));
    }
    page.push_str("\nEvents a second; in brackets, how many times as fast gesta is.\n\n");
}

fn reads(page: &mut String, programs: &[Program], figures: &Figures) {
    page.push_str(
        "| store | keeps | open after a crash, ms | open, ms | replay, events/s | one stream, p50 / p99 us | bytes an \
         event | memory, MB |\n|---|---|---|---|---|---|---|---|\n",
    );
    for program in programs {
        let name = program.peer.name;
        let said = |row| figures.median(name, row);
        let open = |row| said(row).map_or_else(String::new, |said| digits(said.seconds * 1e3));
        let replay = match (said("replay"), figures.times(name, "replay")) {
            (Some(said), Some(times)) if name != "gesta" => format!("{} (x {})", short(said.rate()), digits(times)),
            (Some(said), _) => format!("**{}**", short(said.rate())),
            (None, _) => String::new(),
        };
        let waits = said("streams").and_then(|said| Some(format!("{} / {}", digits(said.p50_us?), digits(said.p99_us?))));
        let bytes = said("fill").and_then(|said| said.bytes_an_event).map_or_else(String::new, digits);
        #[allow(clippy::cast_precision_loss, reason = "mebibytes are shown with three digits")]
        let memory = said("fill").map_or_else(String::new, |said| digits(said.anonymous_bytes_max as f64 / 1e6));
        let keeps = said("fill").or(said("durable-1")).map_or("", |said| said.keeps.as_str());
        let (killed, closed, waits) = (open("open-killed"), open("open"), waits.unwrap_or_default());
        let _ = writeln!(page, "| {name} | {keeps} | {killed} | {closed} | {replay} | {waits} | {bytes} | {memory} |");
    }
    page.push('\n');
}

fn version(figures: &Figures, peer: &str) -> String {
    figures.median(peer, "fill").map_or_else(String::new, |said| said.version.clone())
}

/// Puts the tables into the page, between its marks, and draws the charts beside it.
pub fn write(page: &Path, charts: &Path, tables: &str, programs: &[Program], figures: &Figures) -> Outcome<()> {
    let text = fs::read_to_string(page)?;
    let marks = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marks.ok_or_else(|| format!("{} has no lines {BEGIN} and {END}", page.display()))?;
    fs::create_dir_all(charts)?;
    chart::bars(&charts.join("appends.svg"), "Durable appends, events a second", &APPENDS[..4], programs, figures)?;
    chart::bars(&charts.join("replay.svg"), "Replay, events a second", &["replay"], programs, figures)?;
    Ok(fs::write(page, format!("{before}{BEGIN}\n{tables}{END}{after}"))?)
}

/// The whole run, round by round.
pub fn json(machine: &Machine, figures: &Figures) -> Outcome<String> {
    #[derive(Serialize)]
    struct Report<'a> {
        machine: &'a Machine,
        rows: Vec<Row<'a>>,
    }
    #[derive(Serialize)]
    struct Row<'a> {
        store: &'a str,
        row: &'a str,
        rounds: &'a [super::figures::Cell],
        times_as_fast: Option<f64>,
    }
    let row = |(store, row, rounds)| Row { store, row, rounds, times_as_fast: figures.times(store, row) };
    Ok(serde_json::to_string_pretty(&Report { machine, rows: figures.all().map(row).collect() })?)
}
