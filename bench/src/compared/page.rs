//! docs/BENCHMARKS.md and its charts, and the same as JSON.

use super::chart::{self, Head};
use super::figures::{Cell, Figures};
use super::peer::Program;
use super::rows::{APPENDS, Row, WORKLOADS};
use super::tables::tables;
use super::tour::Extent;
use crate::machine::Machine;
use crate::outcome::Outcome;
use serde::Serialize;
use std::fs;
use std::path::Path;

/// What is written by a run stands between these lines of the page.
const BEGIN: &str = "<!-- compare: begin -->";
const END: &str = "<!-- compare: end -->";

/// Puts the tables into the page, between its marks, and draws the charts beside it.
pub fn write(page: &Path, charts: &Path, machine: &Machine, programs: &[Program], figures: &Figures) -> Outcome<()> {
    let text = fs::read_to_string(page)?;
    let marks = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = marks.ok_or_else(|| format!("{} has no lines {BEGIN} and {END}", page.display()))?;
    draw(charts, machine, programs, figures)?;
    let tables = tables(machine, programs, figures);
    Ok(fs::write(page, format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))?)
}

/// Draws all charts into a folder.
pub fn draw(charts: &Path, machine: &Machine, programs: &[Program], figures: &Figures) -> Outcome<()> {
    fs::create_dir_all(charts)?;
    let names = |rows: &[Row]| rows.iter().map(|row| row.name).collect::<Vec<_>>();
    let (appends, workloads) = (names(&APPENDS), names(&WORKLOADS));
    let charts = [
        ("shared.svg", "Durable appends by 64 clients at once, events a second", &["durable-64"][..]),
        ("appends.svg", "Appends, events a second", &appends),
        ("replay.svg", "Replay, events a second", &["replay"]),
        ("workloads.svg", "100 durable events a commit, events a second", &workloads),
    ]
    .map(|(file, title, rows)| (charts.join(file), title, rows));
    let Machine { processor, date, commit, .. } = machine;
    let Extent { rounds, seconds, .. } = figures.extent;
    let below = format!("{processor}; {date}; commit {commit}; medians of {rounds} rounds of {seconds} s");
    charts
        .iter()
        .try_for_each(|(path, title, rows)| chart::bars(path, &Head { title, below: &below }, rows, programs, figures))
}

/// The whole run, round by round.
pub fn json(machine: &Machine, figures: &Figures) -> Outcome<String> {
    #[derive(Serialize)]
    struct Report<'a> {
        machine: &'a Machine,
        left_out: Vec<(&'a str, &'a str)>,
        rows: Vec<Line<'a>>,
    }
    #[derive(Serialize)]
    struct Line<'a> {
        store: &'a str,
        row: &'a str,
        rounds: &'a [Cell],
        syncs_a_commit: Option<f64>,
    }
    let row = |(store, row, rounds)| Line { store, row, rounds, syncs_a_commit: figures.syncs(store, row) };
    let (left_out, rows) = (figures.left_out().collect(), figures.all().map(row).collect());
    Ok(serde_json::to_string_pretty(&Report { machine, left_out, rows })?)
}
