//! `gesta-bench-served`: the server beside the store embedded and a raw socket, one table a run.

use clap::Parser;
use gesta_bench::outcome::Outcome;
use gesta_bench::run;
use gesta_bench::served::{ROWS, pour, replay_until_told, serve};
use gesta_bench::workload::Settings;
use std::env;
use std::path::PathBuf;

/// Measures a server in a process of its own beside the embedded store and a raw socket.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-served", version)]
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
    let rows = run::chosen(ROWS, &arguments.only)?;
    let settings = Settings::new(arguments.dir.unwrap_or_else(env::temp_dir), arguments.quick);
    if arguments.profile {
        return run::profile(&rows, &settings);
    }
    run::compare(&rows, &settings, arguments.json)
}
