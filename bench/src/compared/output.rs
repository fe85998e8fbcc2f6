//! The charts of a run, and all of it as JSON.

use super::chart::{self, Head};
use super::figures::{Cell, Figures};
use super::peer::Program;
use super::rows::{APPENDS, Row, WORKLOADS};
use super::tour::Extent;
use crate::indexed::Figure;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::report::json_rows;
use serde::Serialize;
use std::fs;
use std::path::Path;

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
    struct Report<'a, G> {
        machine: &'a Machine,
        left_out: Vec<(&'a str, &'a str)>,
        rows: Vec<Line<'a>>,
        goals: G,
        goal_figures: &'a [Figure],
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
    let (goals, goal_figures) = (json_rows(&figures.goals.rows), figures.goals.figures.as_slice());
    Ok(serde_json::to_string_pretty(&Report { machine, left_out, rows, goals, goal_figures })?)
}
