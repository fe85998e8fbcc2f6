//! `gesta-bench-served`: the server beside the store embedded and a raw socket, one table a run.

use clap::Parser;
use gesta_bench::helper::Helper;
use gesta_bench::outcome::Outcome;
use gesta_bench::run;
use gesta_bench::served::ROWS;

/// Measures a server in a process of its own beside the embedded store and a raw socket.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-served", version)]
struct Arguments {
    #[command(flatten)]
    rows: run::Arguments,
    #[command(flatten)]
    helper: Helper,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    arguments.helper.help().unwrap_or_else(|| run::run("served", ROWS, arguments.rows))
}
