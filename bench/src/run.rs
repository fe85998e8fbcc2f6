//! Rows measured one after another, each printed as soon as it is there.

use crate::comparison::Comparison;
use crate::machine::Machine;
use crate::outcome::Outcome;
use crate::page::Section;
use crate::report::{self, Measured};
use crate::rows::Row;
use crate::workload::Settings;
use std::env;
use std::path::PathBuf;

/// Which rows are to be measured, and how.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// One short round each: shows that all works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Puts the table into this page as well, between the marks of its name.
    #[arg(long, value_name = "PAGE", conflicts_with_all = ["quick", "json", "only", "profile"])]
    write: Option<PathBuf>,
    /// Where the files of the measurement go; removed afterwards.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measures only this row; may be given several times.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Does only gesta's side of each row, for a profiler to look at; compares nothing.
    #[arg(long)]
    profile: bool,
}

impl Arguments {
    /// Whether one short round is enough.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        self.quick
    }

    /// Where, how long and how much.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings::new(self.dir.clone().unwrap_or_else(env::temp_dir), self.quick)
    }
}

/// Measures those of the rows that were asked for, as was asked; a page has a section of this name for all of them.
pub fn run(name: &'static str, rows: impl Into<Vec<Row<Settings>>>, arguments: Arguments) -> Outcome<()> {
    let settings = arguments.settings();
    let Arguments { json, write, only, profile: is_profile, .. } = arguments;
    let rows = chosen(rows.into(), &only)?;
    if is_profile {
        return profile(&rows, &settings);
    }
    let section = write.map(|page| Section::of(page, name)).transpose()?;
    compare(&rows, &settings, json, section.as_ref())
}

/// Measures rows and prints them as a table, or as JSON at the end.
fn compare(rows: &[Row<Settings>], settings: &Settings, is_json: bool, section: Option<&Section>) -> Outcome<()> {
    let machine = Machine::here(&settings.directory);
    machine.warn(&settings.directory);
    if !is_json {
        println!("{}", report::head(&machine));
    }
    let mut measured = Vec::new();
    let mut warnings = Vec::new();
    for row in rows {
        let comparison = Comparison::measure(row, settings, settings.round_count)?;
        let row = Measured { title: row.title, scale: None, comparison };
        warnings.extend(report::warnings(&row));
        if !is_json {
            println!("{}", report::line(&row));
        }
        measured.push(row);
    }
    if is_json {
        println!("{}", report::json(&machine, &measured, &[])?);
    } else {
        println!("\n{}", report::legend(measured.iter().map(|row| row.title)));
    }
    for warning in warnings {
        eprintln!("{warning}");
    }
    section.map_or(Ok(()), |section| section.write(&report::tables(&machine, &measured, &[])))
}

/// Does only gesta's side of rows, for a profiler to look at.
fn profile(rows: &[Row<Settings>], settings: &Settings) -> Outcome<()> {
    for row in rows {
        let mut workload = (row.workload)(settings)?;
        for _ in 0..settings.round_count {
            println!("{}: {:.0} events/s", row.title.name, workload.gesta()?.rate());
        }
    }
    Ok(())
}

/// The rows with these names, or all.
fn chosen(rows: Vec<Row<Settings>>, names: &[String]) -> Outcome<Vec<Row<Settings>>> {
    if let Some(unknown) = names.iter().find(|name| rows.iter().all(|row| row.title.name != name.as_str())) {
        let known: Vec<&str> = rows.iter().map(|row| row.title.name).collect();
        return Err(format!("no row is called {unknown}: choose among {}", known.join(", ")).into());
    }
    Ok(rows.into_iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.title.name)).collect())
}
