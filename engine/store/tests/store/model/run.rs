//! Sequences of steps, and the tests that run them.

use super::step::{Step, step};
#[cfg(not(gesta_sabotage))]
use super::tally::CRASHES;
use super::tally::Tally;
use super::world::World;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use std::sync::Mutex;

/// A life of a store.
#[derive(Clone, Debug)]
pub(crate) struct Sequence(Vec<Step>);

/// Any sequence of fewer than so many steps.
pub(crate) fn sequence(steps: usize) -> impl Strategy<Value = Sequence> {
    proptest::collection::vec(step(), 1..steps).prop_map(Sequence)
}

impl FromIterator<Sequence> for Sequence {
    /// One after another.
    fn from_iter<I: IntoIterator<Item = Self>>(sequences: I) -> Self {
        Self(sequences.into_iter().flat_map(|sequence| sequence.0).collect())
    }
}

impl Sequence {
    /// Lives it, with a power cut at its end; returns what it went through.
    pub(crate) fn run(&self) -> Result<Tally, TestCaseError> {
        let mut world = World::new();
        for step in &self.0 {
            world.run(step)?;
        }
        world.power_cut(self.0.len() as u64)?;
        Ok(world.tally)
    }
}

/// Runs sequences of steps; returns what they went through, or what failed.
fn run_sequences(cases: u32, steps: usize) -> Result<Tally, Box<TestError<impl std::fmt::Debug>>> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let tally = Mutex::new(Tally::default());
    let outcome = runner.run(&sequence(steps), |sequence| {
        let lived = sequence.run()?;
        tally.lock().unwrap().add_all(&lived);
        Ok(())
    });
    outcome.map(|()| tally.into_inner().unwrap()).map_err(Box::new)
}

/// How many sequences to run: more with `GESTA_MODEL_SEQUENCES`.
#[cfg(not(gesta_sabotage))]
fn sequences() -> u32 {
    std::env::var("GESTA_MODEL_SEQUENCES").ok().and_then(|count| count.parse().ok()).unwrap_or(2_500)
}

#[cfg(not(gesta_sabotage))]
#[test]
fn nothing_acknowledged_is_lost_whatever_happens() {
    let tally = run_sequences(sequences(), 70).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{tally}");
    println!("{} sequences, {} simulated crashes, 0 acknowledged events lost", sequences(), tally.of(CRASHES));
    if let Some(what) = tally.too_tame(u64::from(sequences())) {
        panic!("{what}: the sequences are too tame");
    }
}

/// Runs sequences that must come upon a bug.
#[cfg(gesta_sabotage)]
pub(crate) fn sequences_of_a_sabotaged_store() {
    run_sequences(2_000, 70).unwrap_or_else(|failure| panic!("{failure}"));
}
