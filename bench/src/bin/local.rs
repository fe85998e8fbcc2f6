//! `gesta-bench-local`: the embedded store beside its yard-sticks, one table a run.

use clap::Parser;
use gesta_bench::outcome::Outcome;
use gesta_bench::rows::ROWS;
use gesta_bench::run;
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
    let rows = run::chosen(ROWS, &arguments.only)?;
    let settings = Settings::new(arguments.dir.unwrap_or_else(env::temp_dir), arguments.quick);
    if arguments.profile {
        return run::profile(&rows, &settings);
    }
    run::compare(&rows, &settings, arguments.json)
}
