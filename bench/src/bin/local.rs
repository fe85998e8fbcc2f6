//! `gesta-bench-local`: the embedded store beside its yard-sticks, one table a run.

use clap::Parser;
use gesta_bench::comparison::Comparison;
use gesta_bench::machine::Machine;
use gesta_bench::outcome::Outcome;
use gesta_bench::report;
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
    if machine.file_system == "tmpfs" {
        eprintln!("WARNING: {} is in memory: syncs mean nothing there; choose a disk with --dir", directory.display());
    }
    if cfg!(debug_assertions) {
        eprintln!("WARNING: built without optimisation: add --release");
    }
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
        let comparison = Comparison::measure(&row, &settings)?;
        warnings.extend(report::warnings(&row, &comparison));
        if !arguments.json {
            println!("{}", report::line(&row, &comparison));
        }
        measured.push((row, comparison));
    }
    if arguments.json {
        println!("{}", report::json(&machine, &measured)?);
    } else {
        let rows: Vec<Row> = measured.iter().map(|(row, _)| *row).collect();
        println!("\n{}", report::legend(&rows));
    }
    for warning in warnings {
        eprintln!("{warning}");
    }
    Ok(())
}

/// Runs the rows without their yard-sticks.
fn profile(rows: &[Row], settings: &Settings) -> Outcome<()> {
    for row in rows {
        let mut workload = (row.workload)(settings)?;
        for _ in 0..settings.round_count {
            println!("{}: {:.0} events/s", row.name, workload.gesta()?.rate());
        }
    }
    Ok(())
}

/// The rows with these names, or all.
fn chosen(names: &[String]) -> Outcome<Vec<Row>> {
    if let Some(unknown) = names.iter().find(|name| ROWS.iter().all(|row| row.name != name.as_str())) {
        let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        return Err(format!("no row is called {unknown}: choose among {}", known.join(", ")).into());
    }
    Ok(ROWS.into_iter().filter(|row| names.is_empty() || names.iter().any(|name| name == row.name)).collect())
}
