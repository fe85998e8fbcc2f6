//! A moment, on both clocks.

use jiff::Timestamp;
use std::time::Instant;

/// A moment: the clock on the wall says whether a token has expired, the steady one how fast an address fails.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time of day, which people and other machines set.
    pub wall: Timestamp,
    /// The time that only runs on.
    pub steady: Instant,
}

impl Moment {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        Self { wall: Timestamp::now(), steady: Instant::now() }
    }
}
