//! `gesta-bench-index`: what the index of the embedded store costs and saves while the store grows, one table a run.

use clap::Parser;
use gesta_bench::indexed::{Extent, Measurements, fill_until_killed, tell_memory};
use gesta_bench::machine::Machine;
use gesta_bench::outcome::Outcome;
use gesta_bench::report;
use gesta_bench::workload::Settings;
use std::env;
use std::path::PathBuf;

/// Measures checks, queries, reads and appends on stores of 20 thousand, 200 thousand and 2 million events.
#[derive(Debug, Parser)]
#[command(name = "gesta-bench-index", version)]
struct Arguments {
    /// The two small sizes, one short round each: shows that all works, not how fast.
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// 20 million events as well.
    #[arg(long)]
    full: bool,
    /// A million streams as well, in stores that are large enough.
    #[arg(long)]
    many_streams: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Where the files of the measurement go; removed afterwards.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measures only this row or figure; may be given several times.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Fills a store and goes on appending until the process is killed.
    #[arg(long, hide = true)]
    fill: Option<PathBuf>,
    #[arg(long, hide = true, default_value_t = 0)]
    fill_count: u64,
    #[arg(long, hide = true, default_value_t = 1_000)]
    stream_count: u64,
    /// Opens a store and prints the process's anonymous memory before and after.
    #[arg(long, hide = true)]
    tell_memory: Option<PathBuf>,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    if let Some(directory) = &arguments.fill {
        return fill_until_killed(directory, arguments.fill_count, arguments.stream_count);
    }
    if let Some(directory) = &arguments.tell_memory {
        return tell_memory(directory);
    }
    if let Some(unknown) = arguments.only.iter().find(|name| Measurements::names().all(|known| known != name.as_str()))
    {
        let known: Vec<&str> = Measurements::names().collect();
        return Err(format!("no row is called {unknown}: choose among {}", known.join(", ")).into());
    }
    let directory = arguments.dir.unwrap_or_else(env::temp_dir);
    let machine = Machine::here(&directory);
    machine.warn(&directory);
    let settings = Settings::new(directory, arguments.quick);
    let extent =
        Extent { is_quick: arguments.quick, is_full: arguments.full, has_many_streams: arguments.many_streams };
    let mut measured = Measurements::default();
    for scale in extent.scales() {
        eprintln!("{} events in {} streams", scale.event_count, scale.stream_count);
        measured.measure(scale, &settings, &arguments.only)?;
    }
    measured.sort();
    let Measurements { rows, figures } = measured;
    if arguments.json {
        println!("{}", report::json(&machine, &rows, &figures)?);
    } else {
        println!("{}", report::head(&machine));
        rows.iter().for_each(|row| println!("{}", report::line(row)));
        let titles = Measurements::titles().filter(|title| rows.iter().any(|row| row.title.name == title.name));
        println!("\n{}", report::legend(titles));
        if !figures.is_empty() {
            println!("{}", report::FIGURES_HEAD);
            figures.iter().for_each(|figure| println!("{}", report::figure_line(figure)));
            println!("\n{}", report::figure_legend(&figures));
        }
    }
    rows.iter().flat_map(report::warnings).for_each(|warning| eprintln!("{warning}"));
    Ok(())
}
