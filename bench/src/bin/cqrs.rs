//! `gesta-bench-cqrs`: commands and projections beside their yard-sticks, one table a run.

use clap::Parser;
use gesta_bench::outcome::Outcome;
use gesta_bench::projected::rows;
use gesta_bench::run;

/// Measures projections beside the bare inserts, and commands beside the bare append.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-cqrs", version)]
struct Arguments {
    #[command(flatten)]
    rows: run::Arguments,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse().rows;
    let rows = rows(&arguments.settings(), arguments.is_quick())?;
    run::run("cqrs", rows, arguments)
}
