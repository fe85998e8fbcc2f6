//! What an append returns.

use crate::{Durability, Incarnation, Position, Revision, StreamName};
use std::ops::Range;

/// Where the events of one request stand, and how safe they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The positions given out; empty for a pure check.
    pub positions: Range<Position>,
    /// The new last revision of each stream that was written, in the order first written.
    pub revisions: Vec<(StreamName, Revision)>,
    /// The first position not yet readable when the receipt was made.
    pub head: Position,
    /// The durability reached: what was asked for, or better.
    pub durability: Durability,
    /// The life of the log in which the positions were given out.
    pub incarnation: Incarnation,
}
