//! `compare`: gesta beside other stores, by the same rows, each store in a process of its own.

use clap::Parser;
use gesta_bench::compared::{Extent, PEERS, Peer, Program, json, tables, tour, write};
use gesta_bench::machine::Machine;
use gesta_bench::outcome::Outcome;
use std::path::PathBuf;
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
    /// Where the stores are made; removed afterwards.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let directory = arguments.dir.clone().unwrap_or_else(std::env::temp_dir);
    let machine = Machine::here(&directory);
    machine.warn(&directory);
    let mut programs = Vec::new();
    for peer in chosen(&arguments)? {
        eprintln!("{:>5} s  build {}", began.elapsed().as_secs(), peer.name);
        match Program::build(peer) {
            Ok(program) => programs.push(program),
            Err(error) => eprintln!("{} is left out: {error}", peer.name),
        }
    }
    let extent = if arguments.quick { Extent::QUICK } else { Extent::WHOLE };
    let figures = tour(&programs, &directory, extent, &mut |what| {
        eprintln!("{:>5} s  {what}", began.elapsed().as_secs());
    })?;
    if arguments.json {
        println!("{}", json(&machine, &figures)?);
        return Ok(());
    }
    let text = tables(&machine, &programs, &figures);
    println!("{text}");
    if !arguments.quick && arguments.peers.is_empty() {
        let docs = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
        write(&docs.join("BENCHMARKS.md"), &docs.join("benchmarks"), &text, &programs, &figures)?;
    }
    // Whoever compares wants to hear that a store could not do what it says it can.
    match figures.median("gesta", "replay") {
        Some(_) => Ok(()),
        None => Err("gesta itself was not measured to the end".into()),
    }
}

/// The stores that were asked for.
fn chosen(arguments: &Arguments) -> Outcome<Vec<Peer>> {
    if let Some(unknown) = arguments.peers.iter().find(|name| PEERS.iter().all(|peer| peer.name != name.as_str())) {
        let known = PEERS.map(|peer| peer.name).join(", ");
        return Err(format!("no store is called {unknown}: choose among {known}").into());
    }
    let is_chosen = |peer: &Peer| {
        let is_asked = arguments.peers.iter().any(|name| name == peer.name) || peer.name == "gesta";
        if arguments.peers.is_empty() { peer.is_quick || !arguments.quick } else { is_asked }
    };
    Ok(PEERS.into_iter().filter(is_chosen).collect())
}
