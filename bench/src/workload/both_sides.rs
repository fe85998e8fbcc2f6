//! What a row is measured with.

use crate::outcome::Outcome;
use crate::sample::Sample;

/// A piece of work that can be done plainly and by gesta.
pub trait Workload {
    /// One round of the yard-stick.
    fn yardstick(&mut self) -> Outcome<Sample>;

    /// One round of gesta.
    fn gesta(&mut self) -> Outcome<Sample>;
}
