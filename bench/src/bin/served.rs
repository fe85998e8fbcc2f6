//! `gesta-bench-served`: the server beside the store embedded and a raw socket, one table a run.

use clap::Parser;
use gesta_bench::outcome::Outcome;
use gesta_bench::run;
use gesta_bench::served::{Misbehaviour, ROWS, misbehave_until_told, pour, replay_until_told, serve};
use std::path::PathBuf;

/// Measures a server in a process of its own beside the embedded store and a raw socket.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-served", version)]
struct Arguments {
    #[command(flatten)]
    rows: run::Arguments,
    /// Serves the stores of a directory until standard input ends.
    #[arg(long, hide = true)]
    serve: Option<PathBuf>,
    /// Writes the log of a store into every connection until standard input ends.
    #[arg(long, hide = true)]
    pour: Option<PathBuf>,
    /// Reads everything from a server, over and over, until standard input ends.
    #[arg(long, hide = true)]
    replay: Option<String>,
    #[arg(long, hide = true, default_value_t = 1)]
    replay_count: usize,
    /// Is a burden to a server until standard input ends.
    #[arg(long, hide = true, requires = "at")]
    misbehave: Option<Misbehaviour>,
    #[arg(long, hide = true)]
    at: Option<String>,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if let Some(directory) = &arguments.serve {
        return serve(directory);
    }
    if let Some(store) = &arguments.pour {
        return pour(store);
    }
    if let Some(address) = &arguments.replay {
        return replay_until_told(address, arguments.replay_count);
    }
    if let (Some(misbehaviour), Some(address)) = (arguments.misbehave, &arguments.at) {
        return misbehave_until_told(misbehaviour, address);
    }
    run::run(ROWS, arguments.rows)
}
