//! What a run has gone through: sequences that are too tame prove nothing.

#![cfg_attr(gesta_sabotage, allow(dead_code, reason = "nobody asks what a sabotaged run went through"))]

use super::answer::Answer;
use gesta::{FailedCheck, Position};
use std::collections::BTreeMap;
use std::fmt;

/// How often each thing has happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    counts: BTreeMap<&'static str, u64>,
}

/// What every thousand sequences go through at least so often, and mostly far more often.
const EXPECTED: [(&str, u64); 22] = [
    (CRASHES, 8_000),
    (NEW, 15_000),
    ("repeats", 500),
    ("repeats in flight", 70),
    ("repeats after a reopening", 300),
    ("repeats known by event ids", 100),
    ("request ids used again", 80),
    ("partial matches", 40),
    ("conflicts", 1_500),
    ("conflicts of several checks", 150),
    ("conflicts with events that match", 400),
    ("conflicts that bring missed events", 800),
    (READ, 6_000),
    (OBSERVED, 3_000),
    (FOLLOWED, 1_000),
    ("subscriptions begun again", 150),
    ("subscriptions that fell behind", 10),
    ("subscriptions that made progress", 300),
    (REPLAYED, 3_000),
    ("replays with events in several feeds", 100),
    (INDEX_LOST, 300),
    (SUMMED_UP, 500),
];

pub(super) const CRASHES: &str = "simulated crashes";
pub(super) const NEW: &str = "new requests";
pub(super) const FOLLOWED: &str = "events handed out to subscriptions";
pub(super) const REPLAYED: &str = "events replayed in feeds";
pub(super) const INDEX_LOST: &str = "index files lost or damaged";
pub(super) const SUMMED_UP: &str = "reads with summaries";
/// Apart from reads of everything.
pub(super) const READ: &str = "events found by reads";
pub(super) const OBSERVED: &str = "events shown to observers";

impl Tally {
    pub(super) fn add(&mut self, what: &'static str, count: u64) {
        *self.counts.entry(what).or_default() += count;
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (what, count) in &other.counts {
            self.add(what, *count);
        }
    }

    pub(super) fn of(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Counts an answer that the store has given as well. When it was asked for, events below `readable` could be read;
    /// those below `opened` had been there when the store was opened.
    pub(super) fn add_answer(&mut self, answer: &Answer, readable: Position, opened: Position, is_named: bool) {
        match answer {
            Answer::Receipt { is_new: true, .. } => self.add(NEW, 1),
            Answer::Receipt { positions, .. } => {
                self.add("repeats", 1);
                self.add("repeats in flight", u64::from(positions.end > readable));
                self.add("repeats after a reopening", u64::from(positions.end <= opened));
                self.add("repeats known by event ids", u64::from(!is_named));
            }
            Answer::Reused { .. } => self.add("request ids used again", 1),
            Answer::Partial { .. } => self.add("partial matches", 1),
            Answer::Conflict(conflict) => {
                let has_query = conflict.failed.iter().any(|failed| matches!(failed, FailedCheck::Query { .. }));
                self.add("conflicts", 1);
                self.add("conflicts of several checks", u64::from(conflict.failed.len() > 1));
                self.add("conflicts with events that match", u64::from(has_query));
                self.add("conflicts that bring missed events", u64::from(!conflict.missed.is_empty()));
            }
        }
    }

    /// The first thing that happened too seldom in so many sequences.
    pub(super) fn too_tame(&self, sequences: u64) -> Option<String> {
        let seldom = |&&(what, each_thousand): &&(&str, u64)| self.of(what) < each_thousand * sequences / 1_000;
        EXPECTED.iter().find(seldom).map(|(what, _)| format!("only {} {what}", self.of(what)))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.iter().try_for_each(|(what, count)| writeln!(formatter, "{count:>10} {what}"))
    }
}
