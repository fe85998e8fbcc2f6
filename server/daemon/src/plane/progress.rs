//! How far long work has come, said now and then.

use gesta_protocol::Work;
use std::time::{Duration, Instant};

/// How often it is said.
const EVERY: Duration = Duration::from_millis(200);

/// What is to be called with what is done and what there is to do: passes on what comes after a while of silence.
pub(crate) fn now_and_then(mut tell: impl FnMut(Work)) -> impl FnMut(u64, u64) {
    let mut told = Instant::now();
    move |done, total| {
        if told.elapsed() >= EVERY {
            told = Instant::now();
            tell(Work { done, total });
        }
    }
}
