//! `gesta-bench-local`: the embedded store beside its yard-sticks, one table a run.

use clap::Parser;
use gesta_bench::outcome::Outcome;
use gesta_bench::rows::ROWS;
use gesta_bench::run;
use gesta_bench::workload::fill_until_killed;
use std::path::PathBuf;

/// Measures the embedded store beside the least that any program would have to do for the same bytes.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-local", version)]
struct Arguments {
    #[command(flatten)]
    rows: run::Arguments,
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
    run::run(ROWS, arguments.rows)
}
