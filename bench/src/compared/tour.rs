//! All rows of all stores, by turns, so that whatever else the machine does falls on all of them.

use super::figures::Figures;
use super::peer::Program;
use super::work::Work;
use crate::outcome::Outcome;
use crate::place::Place;
use std::path::Path;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Rounds of each row.
    pub rounds: usize,
    /// Seconds of each round.
    pub seconds: f64,
    /// Events of the stores that are read.
    pub events: u64,
}

impl Extent {
    /// Some twenty minutes.
    pub const WHOLE: Self = Self { rounds: 3, seconds: 2.0, events: 500_000 };
    /// Shows in a minute that all works, and not how fast.
    pub const QUICK: Self = Self { rounds: 1, seconds: 0.3, events: 20_000 };
}

/// The rows of appending: their names, threads, events a commit, and whether it is durable.
const APPENDS: [(&str, u64, u64, bool); 6] = [
    ("durable-1", 1, 1, true),
    ("durable-16", 16, 1, true),
    ("durable-64", 64, 1, true),
    ("durable-1x100", 1, 100, true),
    ("unsynced-1", 1, 1, false),
    ("unsynced-1x100", 1, 100, false),
];

/// Measures all stores; `tell` hears of each row when it begins.
pub fn tour(programs: &[Program], directory: &Path, extent: Extent, tell: &mut dyn FnMut(&str)) -> Outcome<Figures> {
    let mut figures = Figures::new(extent);
    for (row, threads, batch, is_durable) in APPENDS {
        tell(row);
        let work = Work::Append { threads, batch, is_durable, seconds: extent.seconds };
        for _ in 0..extent.rounds {
            for program in programs {
                let place = Place::new(directory)?;
                figures.add(program.peer, row, work.run(program, place.path()));
                place.remove()?;
            }
        }
    }
    read_all(programs, directory, extent, tell, &mut figures)?;
    Ok(figures)
}

/// Each store is filled once; what reads it takes turns with the others.
fn read_all(
    programs: &[Program],
    directory: &Path,
    extent: Extent,
    tell: &mut dyn FnMut(&str),
    figures: &mut Figures,
) -> Outcome<()> {
    let mut filled = Vec::new();
    for program in programs {
        tell(&format!("fill, {}", program.peer.name));
        let place = Place::new(directory)?;
        let said = Work::Fill { events: extent.events }.run(program, place.path());
        let is_filled = said.is_ok();
        figures.add(program.peer, "fill", said);
        // A crash can be had once.
        if is_filled {
            figures.add(program.peer, "open-killed", Work::Open.run(program, place.path()));
            filled.push((program, place));
        } else {
            place.remove()?;
        }
    }
    let rows = [("open", Work::Open), ("replay", Work::Replay), ("streams", Work::Streams { seconds: extent.seconds })];
    for (row, work) in rows {
        tell(row);
        for _ in 0..extent.rounds {
            for (program, place) in &filled {
                figures.add(program.peer, row, work.run(program, place.path()));
            }
        }
    }
    filled.into_iter().try_for_each(|(_, place)| place.remove())
}
