//! What came of the rows.

use super::gap::Gap;
use super::peer::Peer;
use super::tour::Extent;
use super::work::Said;
use crate::indexed::Measurements;
use std::collections::BTreeMap;

/// One round of one row of one store: what its program said, or why there is nothing.
pub(super) type Cell = Result<Said, Gap>;

/// Rounds, by store and row.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How much was measured.
    pub extent: Extent,
    /// gesta beside its yard-sticks, where that was measured.
    pub goals: Measurements,
    rounds: BTreeMap<(&'static str, &'static str), Vec<Cell>>,
    syncs: BTreeMap<(&'static str, &'static str), f64>,
    left_out: Vec<(&'static str, String)>,
}

impl Figures {
    /// Nothing yet.
    #[must_use]
    pub fn new(extent: Extent) -> Self {
        let goals = Measurements::default();
        Self { extent, goals, rounds: BTreeMap::new(), syncs: BTreeMap::new(), left_out: Vec::new() }
    }

    pub(super) fn add(&mut self, peer: Peer, row: &'static str, said: Cell) {
        self.rounds.entry((peer.name, row)).or_default().push(said);
    }

    #[allow(clippy::cast_precision_loss, reason = "a share is shown with two digits")]
    pub(super) fn count(&mut self, peer: Peer, row: &'static str, commits: u64, syncs: u64) {
        self.syncs.insert((peer.name, row), syncs as f64 / commits as f64);
    }

    /// Notes that a store could not be had.
    pub fn leave_out(&mut self, peer: Peer, reason: String) {
        self.left_out.push((peer.name, reason));
    }

    /// The median round of a row, by its time for each event.
    #[must_use]
    pub fn median(&self, peer: &str, row: &str) -> Option<&Said> {
        let said = self.by_rate(peer, row);
        said.get(said.len() / 2).copied()
    }

    /// What one store's rate is in multiples of another's.
    #[must_use]
    pub fn times(&self, peer: &str, other: &str, row: &str) -> Option<f64> {
        Some(self.median(peer, row)?.rate() / self.median(other, row)?.rate())
    }

    /// Calls to sync for each commit.
    #[must_use]
    pub fn syncs(&self, peer: &str, row: &str) -> Option<f64> {
        self.syncs.iter().find(|((of, at), _)| (*of, *at) == (peer, row)).map(|(_, syncs)| *syncs)
    }

    /// What the fastest round of a row is in multiples of the slowest, the median of all rows and the most.
    #[must_use]
    pub fn spread(&self) -> Option<(f64, f64)> {
        let spreads = self.rounds.keys().filter_map(|(peer, row)| {
            let rounds = self.by_rate(peer, row);
            (rounds.len() > 1).then(|| rounds[rounds.len() - 1].rate() / rounds[0].rate())
        });
        let mut spreads: Vec<_> = spreads.collect();
        spreads.sort_by(f64::total_cmp);
        Some((*spreads.get(spreads.len() / 2)?, *spreads.last()?))
    }

    /// Stores that could not be had, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.left_out.iter().map(|(peer, reason)| (*peer, reason.as_str()))
    }

    /// Whether every store that was to be compared was, in every row that it can do.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let is_good = |cell: &Cell| !matches!(cell, Err(Gap::Failed(_)));
        self.left_out.is_empty() && self.rounds.values().flatten().all(is_good)
    }

    /// Why rows are missing, each reason once: store, reason, rows.
    #[must_use]
    pub fn missing(&self) -> Vec<(&'static str, &Gap, Vec<&'static str>)> {
        let mut missing: Vec<(&'static str, &Gap, Vec<&'static str>)> = Vec::new();
        for (&(peer, row), rounds) in &self.rounds {
            let Some(reason) = rounds.iter().find_map(|round| round.as_ref().err()) else { continue };
            match missing.iter_mut().find(|(of, why, _)| (*of, *why) == (peer, reason)) {
                Some((_, _, rows)) => rows.push(row),
                None => missing.push((peer, reason, vec![row])),
            }
        }
        missing
    }

    /// All rounds of all rows.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, &[Cell])> {
        self.rounds.iter().map(|(&(peer, row), rounds)| (peer, row, rounds.as_slice()))
    }

    /// The rounds of a row that came to something, the slowest first.
    fn by_rate(&self, peer: &str, row: &str) -> Vec<&Said> {
        let rounds = self.rounds.iter().find(|((of, at), _)| (*of, *at) == (peer, row));
        let mut said: Vec<_> = rounds.into_iter().flat_map(|(_, rounds)| rounds.iter().flatten()).collect();
        said.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
        said
    }
}
