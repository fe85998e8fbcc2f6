//! What came of the rows.

use super::peer::Peer;
use super::tour::Extent;
use super::work::Said;
use crate::outcome::Outcome;
use std::collections::BTreeMap;

/// One round of one row of one store: what its program said, or why there is nothing.
pub type Cell = Result<Said, String>;

/// Rounds, by store and row.
#[derive(Clone, Debug)]
pub struct Figures {
    /// How much was measured.
    pub extent: Extent,
    rounds: BTreeMap<(&'static str, &'static str), Vec<Cell>>,
}

impl Figures {
    pub(super) fn new(extent: Extent) -> Self {
        Self { extent, rounds: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, peer: Peer, row: &'static str, said: Outcome<Said>) {
        self.rounds.entry((peer.name, row)).or_default().push(said.map_err(|error| error.to_string()));
    }

    /// The median round of a row, by its time for each event.
    #[must_use]
    pub fn median(&self, peer: &str, row: &str) -> Option<&Said> {
        let rounds = self.rounds.iter().find(|((of, at), _)| (*of, *at) == (peer, row)).map(|(_, rounds)| rounds)?;
        let mut said: Vec<_> = rounds.iter().flatten().collect();
        said.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
        said.get(said.len() / 2).copied()
    }

    /// What gesta's rate is in multiples of a store's.
    #[must_use]
    pub fn times(&self, peer: &str, row: &str) -> Option<f64> {
        Some(self.median("gesta", row)?.rate() / self.median(peer, row)?.rate())
    }

    /// Why rows are missing: store, row, reason; each once.
    #[must_use]
    pub fn missing(&self) -> Vec<(&'static str, &'static str, &str)> {
        let failed = self.rounds.iter().filter_map(|(&(peer, row), rounds)| {
            let reason = rounds.iter().find_map(|round| round.as_ref().err())?;
            Some((peer, row, reason.as_str()))
        });
        failed.collect()
    }

    /// All rounds of all rows.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, &[Cell])> {
        self.rounds.iter().map(|(&(peer, row), rounds)| (peer, row, rounds.as_slice()))
    }
}
