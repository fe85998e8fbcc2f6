//! `gesta-bench-local`: the embedded store beside its yard-sticks, one table a run.

use clap::Parser;
use gesta_bench::comparison::Comparison;
use gesta_bench::machine::Machine;
use gesta_bench::outcome::Outcome;
use gesta_bench::report::{self, Measured};
use gesta_bench::rows::{ROWS, Row};
use gesta_bench::workload::{Settings, fill_until_killed};
use std::env;
use std::path::PathBuf;

/// Measures the embedded store beside the least that any program would have to do for the same bytes.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-local", version)]
struct Arguments {
    /// One short round each: shows that all works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Where the files of the measurement go; removed afterwards.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measures only this row; may be given several times.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Does only gesta's side of each row, for a profiler to look at; compares nothing.
    #[arg(long)]
    profile: bool,
    /// Fills a store and goes on appending until the process is killed.
    #[arg(long, hide = true)]
    fill: Option<PathBuf>,
    #[arg(long, hide = true, default_value_t = 0)]
    fill_count: u64,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if let Some(directory) = &arguments.fill {
        return fill_until_killed(directory, arguments.fill_count);
    }
    let rows = chosen(&arguments.only)?;
    let directory = arguments.dir.unwrap_or_else(env::temp_dir);
    let machine = Machine::here(&directory);
    machine.warn(&directory);
    let settings = Settings::new(directory, arguments.quick);
    if arguments.profile {
        return profile(&rows, &settings);
    }
    if !arguments.json {
        println!("{}", report::head(&machine));
    }
    let mut measured = Vec::new();
    let mut warnings = Vec::new();
    for row in rows {
        let comparison = Comparison::measure(&row, &settings, settings.round_count)?;
        let row = Measured { title: row.title, scale: None, comparison };
        warnings.extend(report::warnings(&row));
        if !arguments.json {
            println!("{}", report::line(&row));
        }
        measured.push(row);
    }
    if arguments.json {
        println!("{}", report::json(&machine, &measured, &[])?);
    } else {
        println!("\n{}", report::legend(measured.iter().map(|row| row.title)));
    }
    for warning in warnings {
        eprintln!("{warning}");
    }
    Ok(())
}

/// Runs the rows without their yard-sticks.
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
fn chosen(names: &[String]) -> Outcome<Vec<Row<Settings>>> {
    if let Some(unknown) = names.iter().find(|name| ROWS.iter().all(|row| row.title.name != name.as_str())) {
        let known: Vec<&str> = ROWS.iter().map(|row| row.title.name).collect();
        return Err(format!("no row is called {unknown}: choose among {}", known.join(", ")).into());
    }
    Ok(ROWS.into_iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.title.name)).collect())
}
