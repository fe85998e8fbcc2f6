//! Whole lives of a store, drawn from the input: appends, reads, subscriptions, failed syncs, power cuts and reopenings. The
//! oracle is that of the model test: nothing acknowledged is lost, and every answer is the one that a plain list gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::run::{Sequence, sequence};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../../engine/store/tests/store/model/mod.rs"]
mod model;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../engine/store/tests/store/support.rs"]
mod support;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../engine/store/tests/store/vocabulary.rs"]
mod vocabulary;

const STEPS_MAX: usize = 24;
/// Bytes of an input that one step is drawn from: a change to them changes that step alone.
const STEP_BYTES: usize = 3;

fuzz_target!(|input: &[u8]| {
    let life: Sequence = input.chunks_exact(STEP_BYTES).take(STEPS_MAX).map(step).collect();
    if let Err(failure) = life.run() {
        panic!("{failure}\n{life:#?}");
    }
});

fn step(bytes: &[u8]) -> Sequence {
    let mut seed = [0; 32];
    seed[..STEP_BYTES].copy_from_slice(bytes);
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    sequence(2).new_tree(&mut runner).expect("no step is refused").current()
}
