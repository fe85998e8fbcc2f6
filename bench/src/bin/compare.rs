//! `compare`: gesta beside other stores, by the same rows, each store in a process of its own.

use clap::Parser;
use gesta_bench::compared::{Extent, Figures, PEERS, Peer, Program, draw, json, measure_goals, tables, tour};
use gesta_bench::helper::Helper;
use gesta_bench::machine::Machine;
use gesta_bench::outcome::Outcome;
use gesta_bench::page::Section;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Measures gesta beside other stores and writes docs/BENCHMARKS.md.
#[derive(Debug, Parser)]
#[command(name = "compare", version)]
struct Arguments {
    /// One short round each of a few stores: shows that all works, not how fast. Writes no page.
    #[arg(long)]
    quick: bool,
    /// Only these stores, by name, beside gesta.
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    peers: Vec<String>,
    /// Prints every round as JSON. Writes no page.
    #[arg(long)]
    json: bool,
    /// Draws the charts into this directory as well.
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,
    /// Where the stores are made; removed afterwards.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    helper: Helper,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    arguments.helper.help().unwrap_or_else(|| compare(&arguments))
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    let docs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
    let is_written = !arguments.quick && !arguments.json && arguments.peers.is_empty();
    let section = is_written.then(|| Section::of(docs.join("BENCHMARKS.md"), "compare")).transpose()?;
    let began = Instant::now();
    let directory = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
    let machine = Machine::here(&directory);
    machine.warn(&directory);
    let mut figures = Figures::new(if arguments.quick { Extent::QUICK } else { Extent::WHOLE });
    let mut tell = |what: &str| eprintln!("{:>5} s  {what}", began.elapsed().as_secs());
    let mut programs = Vec::new();
    tell("build the programs of the stores");
    let profile = if arguments.quick { "quick" } else { "release" };
    for (peer, built) in Program::build(&chosen(arguments)?, profile)? {
        match built {
            Ok(program) => programs.push(program),
            Err(error) => {
                tell(&format!("{} is left out: {error}", peer.name));
                figures.leave_out(peer, error.to_string());
            }
        }
    }
    programs.sort_by_key(|program| PEERS.iter().position(|peer| *peer == program.peer));
    let programs = tour(programs, &directory, &mut figures, &mut tell)?;
    if arguments.peers.is_empty() {
        figures.goals = measure_goals(&directory, figures.extent, &mut tell)?;
    }
    if arguments.json {
        println!("{}", json(&machine, &figures)?);
    } else {
        println!("{}", tables(&machine, &programs, &figures));
    }
    if let Some(section) = section {
        draw(&docs.join("benchmarks"), &machine, &programs, &figures)?;
        section.write(&tables(&machine, &programs, &figures))?;
    }
    if let Some(charts) = &arguments.charts {
        draw(charts, &machine, &programs, &figures)?;
    }
    if figures.is_whole() || !arguments.quick && figures.median("gesta", "replay").is_some() {
        return Ok(());
    }
    // A quick run is there to notice that something no longer works.
    Err("not all was measured that should have been: what is missing is said above".into())
}

/// The stores that were asked for.
fn chosen(arguments: &Arguments) -> Outcome<Vec<Peer>> {
    if let Some(unknown) = arguments.peers.iter().find(|name| PEERS.iter().all(|peer| peer.name != name.as_str())) {
        let known = PEERS.map(|peer| peer.name).join(", ");
        return Err(format!("no store is called {unknown}: choose among {known}").into());
    }
    let is_asked = |peer: &Peer| arguments.peers.iter().any(|name| name == peer.name);
    let kinds: Vec<_> = PEERS.iter().filter(|peer| is_asked(peer)).map(|peer| peer.kind.gesta()).collect();
    let is_chosen = |peer: &Peer| match arguments.peers.is_empty() {
        true => peer.is_quick || !arguments.quick,
        false => is_asked(peer) || peer.name == "gesta" || kinds.contains(&peer.name),
    };
    Ok(PEERS.into_iter().filter(is_chosen).collect())
}
