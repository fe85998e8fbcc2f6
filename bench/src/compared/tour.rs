//! All rows of all stores, by turns, so that whatever else the machine does falls on all of them.

use super::figures::{Cell, Figures};
use super::gap::Gap;
use super::peer::Program;
use super::rows::{APPENDS, COUNTED, GROWN, LATENCY, Row, WORKLOADS};
use super::work::{Said, Work};
use crate::outcome::Outcome;
use crate::place::Place;
use std::path::Path;
use std::process::{Command, Stdio};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Rounds of each row.
    pub rounds: usize,
    /// Seconds of each round.
    pub seconds: f64,
    /// Events of the stores that are read.
    pub events: u64,
    /// Events of the stores that are opened once more, as they would be after a while.
    pub grown_events: u64,
    /// Events of the stores on which gesta's index is looked at.
    pub indexed: &'static [u64],
}

impl Extent {
    /// Some twenty minutes.
    pub const WHOLE: Self =
        Self { rounds: 3, seconds: 0.8, events: 400_000, grown_events: 2_000_000, indexed: &[200_000, 2_000_000] };
    /// Shows in a minute that all works, and not how fast.
    pub const QUICK: Self = Self { rounds: 1, seconds: 0.2, events: 20_000, grown_events: 40_000, indexed: &[20_000] };
}

/// Measures all stores, and returns those that could be had; `tell` hears of each row when it begins.
pub fn tour(
    programs: Vec<Program>,
    directory: &Path,
    figures: &mut Figures,
    tell: &mut dyn FnMut(&str),
) -> Outcome<Vec<Program>> {
    let extent = figures.extent;
    tell("try each");
    let mut tour = Tour { programs: Vec::new(), directory, extent, tell };
    for program in programs {
        match tour.once(&program, Work::Try)? {
            Ok(_) => tour.programs.push(program),
            Err(Gap::Lacks(reason) | Gap::Failed(reason)) => {
                (tour.tell)(&format!("{} is left out: {reason}", program.peer.name));
                figures.leave_out(program.peer, reason);
            }
        }
    }
    tour.append_all(&APPENDS, extent.rounds, extent.seconds, figures)?;
    tour.append_all(&WORKLOADS, 1, extent.seconds, figures)?;
    // Long enough to see one wait in a thousand.
    tour.append_all(&[LATENCY], 1, extent.seconds * 3.0, figures)?;
    tour.read_all(figures)?;
    tour.grow(figures)?;
    tour.count_syncs(figures)?;
    Ok(tour.programs)
}

struct Tour<'a> {
    programs: Vec<Program>,
    directory: &'a Path,
    extent: Extent,
    tell: &'a mut dyn FnMut(&str),
}

impl Tour<'_> {
    /// Has a program do something in a new directory.
    fn once(&self, program: &Program, work: Work) -> Outcome<Cell> {
        let place = Place::new(self.directory)?;
        let said = work.run(program, place.path());
        place.remove()?;
        Ok(said)
    }

    fn append_all(&mut self, rows: &[Row], rounds: usize, seconds: f64, figures: &mut Figures) -> Outcome<()> {
        for row in rows {
            (self.tell)(row.name);
            let work = Work::Append { append: row.append, seconds };
            for _ in 0..rounds {
                for program in &self.programs {
                    figures.add(program.peer, row.name, self.once(program, work)?);
                }
            }
        }
        Ok(())
    }

    /// Each store is filled once; what reads it takes turns with the others.
    fn read_all(&mut self, figures: &mut Figures) -> Outcome<()> {
        let mut filled = Vec::new();
        for program in &self.programs {
            (self.tell)(&format!("fill, {}", program.peer.name));
            let place = Place::new(self.directory)?;
            let said = Work::Fill { events: self.extent.events }.run(program, place.path());
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
        let streams = Work::Streams { seconds: self.extent.seconds };
        for (row, work) in [("open", Work::Open), ("replay", Work::Replay), ("streams", streams)] {
            (self.tell)(row);
            for _ in 0..self.extent.rounds {
                for (program, place) in &filled {
                    figures.add(program.peer, row, work.run(program, place.path()));
                }
            }
        }
        filled.into_iter().try_for_each(|(_, place)| place.remove())
    }

    /// What grows with a store: how long it takes to open after a crash, and what it takes on disk.
    fn grow(&mut self, figures: &mut Figures) -> Outcome<()> {
        for program in self.programs.iter().filter(|program| GROWN.contains(&program.peer.name)) {
            (self.tell)(&format!("grow, {}", program.peer.name));
            let place = Place::new(self.directory)?;
            let said = Work::Fill { events: self.extent.grown_events }.run(program, place.path());
            let is_filled = said.is_ok();
            figures.add(program.peer, "grown-fill", said);
            if is_filled {
                figures.add(program.peer, "grown-open-killed", Work::Open.run(program, place.path()));
            }
            place.remove()?;
        }
        Ok(())
    }

    /// Runs of their own, whose rates are thrown away: who is watched is slower.
    fn count_syncs(&mut self, figures: &mut Figures) -> Outcome<()> {
        let strace = Command::new("strace").arg("--version").stdin(Stdio::null()).output();
        if !strace.is_ok_and(|output| output.status.success()) {
            (self.tell)("syncs are not counted: strace is missing");
            return Ok(());
        }
        (self.tell)("count syncs");
        for row in APPENDS.iter().filter(|row| COUNTED.contains(&row.name)) {
            for program in &self.programs {
                // What opening, closing and reading back take goes off again.
                let idle = self.counted(program, Work::Append { append: row.append, seconds: 0.0 })?;
                let busy = self.counted(program, Work::Append { append: row.append, seconds: self.extent.seconds })?;
                if let (Ok((idle, before)), Ok((busy, after))) = (idle, busy) {
                    figures.count(program.peer, row.name, busy.commits - idle.commits, after.saturating_sub(before));
                }
            }
        }
        Ok(())
    }

    fn counted(&self, program: &Program, work: Work) -> Outcome<Result<(Said, u64), Gap>> {
        let (place, counts) = (Place::new(self.directory)?, Place::new(self.directory)?);
        let counted = work.run_counted(program, place.path(), &counts.path().join("counts"));
        place.remove()?;
        counts.remove()?;
        Ok(counted)
    }
}
