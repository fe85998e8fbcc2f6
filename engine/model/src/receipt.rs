//! What an append returns.

use crate::{Durability, Incarnation, Position, Revision, StreamName};
use std::ops::Range;

/// Where the events of one request stand, and how safe they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The positions given out; for a pure check, the empty range at the place in the order where it was judged.
    pub positions: Range<Position>,
    /// The new last revision of each stream that was written, in the order first written.
    pub revisions: Vec<(StreamName, Revision)>,
    /// The first position not yet readable when the receipt was made.
    pub head: Position,
    /// The durability reached: what was asked for, or better.
    pub durability: Durability,
    /// The life of the log that answers: it gave the positions out, or found a request made again standing there.
    pub incarnation: Incarnation,
}
