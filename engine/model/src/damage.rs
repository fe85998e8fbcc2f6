//! A place in the log whose bytes are not what was written there.

use crate::Position;
use std::fmt;
use std::ops::Range;

/// What is damaged, where, and which events cannot be read because of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, as a person finds it.
    pub file: String,
    /// Where in the file the damage begins, in bytes.
    pub offset: u64,
    /// The positions that cannot be read, half-open; empty when no event is lost.
    pub positions: Range<Position>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, offset, positions, what } = self;
        write!(formatter, "{file} at byte {offset}: {what}; ")?;
        if positions.is_empty() {
            write!(formatter, "no position below {} is lost by it", positions.start)
        } else {
            write!(formatter, "positions {} up to {} cannot be read", positions.start, positions.end)
        }
    }
}
