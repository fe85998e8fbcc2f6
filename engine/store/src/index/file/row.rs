//! One row: what the file knows of one key.
//!
//! ```text
//!  0  key u128
//! 16  first_revision u64   of a stream's first event here; all ones for every other kind
//! 24  first u64            the first position
//! 32  last u64             the last position
//! 40  count u64            how many events
//! 48  postings u64         where in the postings their list begins; 0 where there is none
//! ```

use super::bytes::{read_u64, read_u128, write_u64, write_u128};
use super::rejected::Damaged;
use crate::index::key::{Key, Kind};
use crate::index::term::Term;
use gesta_model::{Position, Revision};
use std::ops::Range;

pub(super) const KEY: usize = 0;
const FIRST_REVISION: usize = KEY + 16;
const FIRST: usize = FIRST_REVISION + 8;
const LAST: usize = FIRST + 8;
const COUNT: usize = LAST + 8;
const POSTINGS: usize = COUNT + 8;
/// Bytes of a row.
pub(super) const ROW_BYTES: usize = POSTINGS + 8;
const _: () = assert!(ROW_BYTES == 56);

const NO_REVISION: u64 = u64::MAX;

/// The row of a term.
pub(super) fn encode_row(term: &Term) -> [u8; ROW_BYTES] {
    let mut row = [0; ROW_BYTES];
    write_u128(&mut row, KEY, term.key.0);
    write_u64(&mut row, FIRST_REVISION, term.first_revision.map_or(NO_REVISION, |revision| revision.0));
    write_u64(&mut row, FIRST, term.first.0);
    write_u64(&mut row, LAST, term.last.0);
    write_u64(&mut row, COUNT, term.count);
    write_u64(&mut row, POSTINGS, term.postings);
    row
}

/// Reads a row of a file that speaks of `positions`; the answer makes sense in itself.
pub(super) fn decode_row(row: &[u8], positions: &Range<Position>) -> Result<Term, Damaged> {
    let revision = read_u64(row, FIRST_REVISION);
    let term = Term {
        key: Key(read_u128(row, KEY)),
        count: read_u64(row, COUNT),
        first: Position(read_u64(row, FIRST)),
        last: Position(read_u64(row, LAST)),
        first_revision: (revision != NO_REVISION).then_some(Revision(revision)),
        postings: read_u64(row, POSTINGS),
    };
    if makes_sense(&term, positions) { Ok(term) } else { Err(Damaged("a row of it makes no sense")) }
}

/// What holds for every row that was ever written.
pub(super) fn makes_sense(term: &Term, positions: &Range<Position>) -> bool {
    let Some(kind) = term.key.kind() else { return false };
    let are_positions_right = positions.start <= term.first && term.first <= term.last && term.last < positions.end;
    let is_count_right = match term.count {
        0 => false,
        1 => term.first == term.last,
        count => count - 1 <= term.last.since(term.first),
    };
    let is_revision_right = match term.first_revision {
        Some(first) => kind == Kind::Stream && first.0.checked_add(term.count).is_some(),
        None => kind != Kind::Stream,
    };
    are_positions_right && is_count_right && is_revision_right
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSITIONS: Range<Position> = Position(100)..Position(200);

    fn sample() -> Term {
        Term {
            key: Key((1 << Key::HASH_BITS) | 0x1122_3344),
            count: 3,
            first: Position(101),
            last: Position(0x7f),
            first_revision: Some(Revision(5)),
            postings: 0x0a0b,
        }
    }

    #[test]
    fn golden_bytes_of_a_row() {
        let hex: String = encode_row(&sample()).iter().map(|byte| format!("{byte:02x}")).collect();
        let golden = "44332211000000000000000000000001\
                      05000000000000006500000000000000\
                      7f0000000000000003000000000000000b0a000000000000";
        assert_eq!(hex, golden);
        assert_eq!(decode_row(&encode_row(&sample()), &POSITIONS), Ok(sample()));
    }

    #[test]
    fn rows_that_make_no_sense_are_refused() {
        let refused = |term: Term| assert!(decode_row(&encode_row(&term), &POSITIONS).is_err(), "{term:?}");
        assert!(decode_row(&[0; ROW_BYTES], &(Position(0)..Position(10))).is_err());
        refused(Term { key: Key(5), ..sample() });
        refused(Term { count: 0, ..sample() });
        refused(Term { count: 1, ..sample() });
        refused(Term { count: 28, ..sample() });
        refused(Term { first: Position(99), ..sample() });
        refused(Term { last: Position(200), ..sample() });
        refused(Term { last: Position(100), ..sample() });
        refused(Term { first_revision: None, ..sample() });
        refused(Term { first_revision: Some(Revision(u64::MAX - 1)), ..sample() });
        refused(Term { key: Key(3 << Key::HASH_BITS), ..sample() });
    }
}
