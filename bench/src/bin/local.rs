//! `gesta-bench-local`: the embedded store beside its yard-sticks, one table a run.

use clap::Parser;
use gesta_bench::helper::Helper;
use gesta_bench::outcome::Outcome;
use gesta_bench::rows::ROWS;
use gesta_bench::run;

/// Measures the embedded store beside the least that any program would have to do for the same bytes.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-local", version)]
struct Arguments {
    #[command(flatten)]
    rows: run::Arguments,
    #[command(flatten)]
    helper: Helper,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    arguments.helper.help().unwrap_or_else(|| run::run("local", ROWS, arguments.rows))
}
