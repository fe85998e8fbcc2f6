//! Which revision of which stream a lost position gets.
//!
//! ```text
//!  position   0    1    2    3    4    5    6    7
//!  event     a@0  b@0   x    x   b@2   x   a@3   x
//!  missing               b@1, a@1, a@2             b@1 between 1 and 4; a@1 and a@2 between 0 and 6
//!  stand-in             b@1  a@1       a@2       -
//! ```
//!
//! What a stream misses lies between two of its events that are left. Of all that may lie at a lost position, it gets what
//! has to be placed soonest: if there is any way to place everything, this is one (earliest deadline first). There is one
//! for every log that was written by a store. The true places are not known; those of one stream are in its order.

use gesta_model::{Position, Revision};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

/// Revisions that a stream misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) stream: Box<str>,
    pub(super) revisions: Range<u64>,
    /// The positions among which they were: after the event before, up to the one that shows that they are missing.
    pub(super) among: Range<Position>,
}

/// A walk over the lost positions, in order.
pub(super) struct Placement<'m> {
    /// Those that begin further on, the next one last.
    ahead: Vec<&'m Missing>,
    /// Those that are being placed: the soonest first, with its next revision.
    open: BinaryHeap<Reverse<(Position, &'m str, u64, u64)>>,
}

/// A revision that has no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unplaced {
    pub(super) stream: String,
    /// Where the event stands before which it must be.
    pub(super) before: Position,
    /// The revision of that event.
    pub(super) revision: Revision,
    /// The revision that has no place.
    pub(super) expected: Revision,
}

impl<'m> Placement<'m> {
    /// Before the first lost position.
    pub(super) fn new(missing: &'m [Missing]) -> Self {
        let mut ahead: Vec<&Missing> = missing.iter().collect();
        ahead.sort_by_key(|missing| Reverse(missing.among.start));
        Self { ahead, open: BinaryHeap::new() }
    }

    /// Whether everything finds a place in these positions, in order.
    pub(super) fn check(missing: &[Missing], lost: impl Iterator<Item = Range<Position>>) -> Result<(), Unplaced> {
        let mut placement = Placement::new(missing);
        for range in lost {
            let mut position = range.start;
            while position < range.end {
                placement.check_overdue(position)?;
                if placement.place(position).is_none() && placement.open.is_empty() {
                    // Nothing can be placed before the next stream's turn.
                    let next = placement.ahead.last().map_or(range.end, |missing| missing.among.start);
                    position = next.clamp(position.plus(1), range.end);
                } else {
                    position = position.plus(1);
                }
            }
        }
        placement.check_overdue(Position::MAX)
    }

    /// What a position gets: a stream and its revision.
    pub(super) fn place(&mut self, position: Position) -> Option<(&'m str, u64)> {
        self.begin(position);
        let Reverse((before, stream, revision, end)) = self.open.pop()?;
        if revision + 1 < end {
            self.open.push(Reverse((before, stream, revision + 1, end)));
        }
        Some((stream, revision))
    }

    /// Begins with what may be at a position.
    fn begin(&mut self, position: Position) {
        while let Some(missing) = self.ahead.pop_if(|missing| missing.among.start <= position) {
            let Range { start, end } = missing.revisions;
            self.open.push(Reverse((missing.among.end, &missing.stream, start, end)));
        }
    }

    /// Refuses if something had to be placed before a position.
    fn check_overdue(&mut self, position: Position) -> Result<(), Unplaced> {
        self.begin(position);
        match self.open.peek() {
            Some(&Reverse((before, stream, expected, end))) if before <= position => Err(Unplaced {
                stream: stream.to_owned(),
                before,
                revision: Revision(end),
                expected: Revision(expected),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(stream: &str, revisions: Range<u64>, among: Range<u64>) -> Missing {
        Missing { stream: stream.into(), revisions, among: Position(among.start)..Position(among.end) }
    }

    fn positions(range: Range<u64>) -> Range<Position> {
        Position(range.start)..Position(range.end)
    }

    /// What each lost position gets.
    fn placed(missing: &[Missing], lost: &[u64]) -> Vec<(u64, String)> {
        let mut placement = Placement::new(missing);
        let place = |position: &u64| {
            let (stream, revision) = placement.place(Position(*position))?;
            Some((*position, format!("{stream}@{revision}")))
        };
        lost.iter().filter_map(place).collect()
    }

    #[test]
    fn what_must_be_placed_soonest_is_placed_first() {
        let missing = [missing("b", 1..2, 2..4), missing("a", 1..3, 1..6)];
        let expected = [(2, "b@1"), (3, "a@1"), (5, "a@2")].map(|(position, event)| (position, event.to_owned()));
        assert_eq!(placed(&missing, &[2, 3, 5, 7]), expected);
        assert_eq!(Placement::check(&missing, [positions(2..4), positions(5..6)].into_iter()), Ok(()));
    }

    #[test]
    fn a_stream_gets_its_revisions_in_order_over_several_losses() {
        let missing = [missing("a", 0..1, 0..3), missing("a", 2..4, 4..9)];
        let expected = [(1, "a@0"), (5, "a@2"), (8, "a@3")].map(|(position, event)| (position, event.to_owned()));
        assert_eq!(placed(&missing, &[1, 5, 8, 9]), expected);
        assert_eq!(Placement::check(&missing, [1, 5, 8, 9].map(|at| positions(at..at + 1)).into_iter()), Ok(()));
    }

    #[test]
    fn what_has_no_place_is_refused_by_name() {
        let refused = |lost: &[Range<u64>]| {
            let missing = [missing("a", 1..3, 1..6), missing("b", 1..2, 2..4)];
            Placement::check(&missing, lost.iter().cloned().map(positions)).unwrap_err()
        };
        let unplaced = |stream: &str, before, revision, expected| Unplaced {
            stream: stream.to_owned(),
            before: Position(before),
            revision: Revision(revision),
            expected: Revision(expected),
        };
        assert_eq!(refused(&[]), unplaced("b", 4, 2, 1));
        assert_eq!(refused(&[5..7, 7..9]), unplaced("b", 4, 2, 1));
        assert_eq!(refused(&[2..3, 5..6]), unplaced("a", 6, 3, 2));
        // As many as are missing, and in the wrong places.
        assert_eq!(refused(&[3..4, 7..9]), unplaced("a", 6, 3, 1));
    }
}
