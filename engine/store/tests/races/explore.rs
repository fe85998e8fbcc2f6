//! Runs a test under many schedules, the same ones each time.
//!
//! A schedule that fails is printed: put into `GESTA_SCHEDULE`, with the name of the test, it runs alone and fails again.

use shuttle::scheduler::{
    PctScheduler, RandomScheduler, ReplayScheduler, Scheduler, UncontrolledNondeterminismCheckScheduler,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

/// How many schedules each of the two schedulers draws, unless `GESTA_SCHEDULES` says it.
const SCHEDULES: usize = 300;
const SEED: u64 = 20_261_128;
/// How many times a thread is set back behind the others in one schedule of PCT.
const DEPTH: usize = 3;

/// Runs a test under schedules drawn at random, and under some that find what needs few but rare changes of turn.
pub(crate) fn explore(test: fn()) {
    if let Ok(schedule) = std::env::var("GESTA_SCHEDULE") {
        return run(ReplayScheduler::new_from_encoded(&schedule), test);
    }
    let schedules = std::env::var("GESTA_SCHEDULES").map_or(SCHEDULES, |count| count.parse().expect("a number"));
    run(RandomScheduler::new_from_seed(SEED, schedules), test);
    run(PctScheduler::new_from_seed(SEED, DEPTH, schedules), test);
}

/// Runs schedules twice: the second time, the threads must come to the same points.
pub(crate) fn require_same_again(test: fn()) {
    run(UncontrolledNondeterminismCheckScheduler::new(RandomScheduler::new_from_seed(SEED, 20)), test);
}

fn run(scheduler: impl Scheduler + 'static, test: fn()) {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.failure_persistence = FailurePersistence::Print;
    config.max_steps = MaxSteps::FailAfter(1_000_000);
    // That orderings are taken for the strongest is said in the engine's `sync_shuttle.rs`.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(test);
}
