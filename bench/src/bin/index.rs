//! `gesta-bench-index`: what the index of the embedded store costs and saves while the store grows, one table a run.

use clap::Parser;
use gesta_bench::helper::Helper;
use gesta_bench::indexed::{Extent, Measurements, draw_growth};
use gesta_bench::machine::Machine;
use gesta_bench::outcome::Outcome;
use gesta_bench::page::Section;
use gesta_bench::report;
use gesta_bench::workload::Settings;
use std::env;
use std::path::{Path, PathBuf};

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
    /// Puts the table into this page as well, between its marks `index`; with `--full` between its marks `growth`, with a
    /// chart beside the page.
    #[arg(long, value_name = "PAGE", conflicts_with_all = ["quick", "json", "only"])]
    write: Option<PathBuf>,
    /// Draws how the costs grow with the store into this file.
    #[arg(long, value_name = "FILE.svg")]
    chart: Option<PathBuf>,
    /// Where the files of the measurement go; removed afterwards.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measures only this row or figure; may be given several times.
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    #[command(flatten)]
    helper: Helper,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    arguments.helper.help().unwrap_or_else(|| measure(arguments))
}

fn measure(arguments: Arguments) -> Outcome<()> {
    if let Some(unknown) = arguments.only.iter().find(|name| Measurements::names().all(|known| known != name.as_str()))
    {
        let known: Vec<&str> = Measurements::names().collect();
        return Err(format!("no row is called {unknown}: choose among {}", known.join(", ")).into());
    }
    let name = if arguments.full { "growth" } else { "index" };
    let section = arguments.write.as_ref().map(|page| Section::of(page, name)).transpose()?;
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
    let Measurements { rows, figures } = &measured;
    let tables = report::tables(&machine, rows, figures);
    if arguments.json {
        println!("{}", report::json(&machine, rows, figures)?);
    } else {
        println!("{tables}");
        let titles = Measurements::titles().filter(|title| rows.iter().any(|row| row.title.name == title.name));
        println!("{}\n{}", report::legend(titles), report::figure_legend(figures));
    }
    rows.iter().flat_map(report::warnings).for_each(|warning| eprintln!("{warning}"));
    if let Some(chart) = &arguments.chart {
        draw_growth(chart, &machine, rows)?;
    }
    match (section, arguments.write.as_deref().and_then(Path::parent)) {
        (Some(section), Some(folder)) if arguments.full => {
            const CHART: &str = "benchmarks/growth.svg";
            draw_growth(&folder.join(CHART), &machine, rows)?;
            section.write(&format!("![How costs grow with the store]({CHART})\n\n{tables}"))
        }
        (Some(section), _) => section.write(&tables),
        (None, _) => Ok(()),
    }
}
