//! Sequences of steps, with the seed of one that fails.

use super::draft::step;
use super::world::World;
use crate::Harness;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::hash::{BuildHasher, RandomState};

/// Runs so many sequences of up to so many random steps, each on a fresh store beside a plain list of events.
///
/// The first difference panics, with the shortest sequence that shows it and the seed. `GESTA_CONFORMANCE_SEED` set to that
/// seed draws the same sequences again.
pub fn model_test<H: Harness>(harness: &H, sequences: u32, steps: usize) {
    let told = std::env::var("GESTA_CONFORMANCE_SEED").ok();
    let told = told.map(|seed| seed.parse().expect("GESTA_CONFORMANCE_SEED is a number"));
    let seed: u64 = told.unwrap_or_else(|| RandomState::new().hash_one(sequences));
    let config = Config {
        cases: sequences,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 500,
        // A step that waits in vain is patient each time.
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&vec(step(), 1..=steps.max(1)), |steps| {
        let mut world = World::new(harness);
        for step in &steps {
            world.run(step)?;
        }
        world.finish()
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}\nGESTA_CONFORMANCE_SEED={seed} draws it again"));
}
