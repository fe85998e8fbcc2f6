//! What the index in memory promises: the same answers as a list, as of any ordinal.

use super::*;
use crate::index::key::{Keyring, Kind};
use proptest::prelude::*;

fn keys(of: &[u8]) -> Vec<Key> {
    let keyring = Keyring::new(&[7; 16]);
    of.iter().map(|name| keyring.key(Kind::Tag, &[*name])).collect()
}

proptest! {
    #[test]
    fn answers_are_those_of_a_list_as_of_any_ordinal(
        events in proptest::collection::vec(proptest::collection::vec(0_u8..6, 0..4), 0..60),
        from in 0_u32..70,
        to in 0_u32..70,
    ) {
        let index = MemoryIndex::new(Position(1000));
        for (ordinal, names) in events.iter().enumerate() {
            index.add(u32::try_from(ordinal).unwrap(), &keys(names), None);
        }
        for name in 0..6 {
            let key = keys(&[name])[0];
            let all: Vec<u32> =
                (0..).zip(&events).filter(|(_, names)| names.contains(&name)).map(|(ordinal, _)| ordinal).collect();
            let below: Vec<u32> = all.iter().copied().filter(|ordinal| *ordinal < to).collect();
            let term = index.term(key, to);
            prop_assert_eq!(term.map(|term| term.count), below.len().checked_sub(1).map(|count| count as u64 + 1));
            if let Some(term) = term {
                prop_assert_eq!(term.first, Position(1000 + u64::from(below[0])));
                prop_assert_eq!(term.last, Position(1000 + u64::from(below[below.len() - 1])));
            }
            let within: Vec<u32> = below.into_iter().filter(|ordinal| *ordinal >= from).collect();
            prop_assert_eq!(index.ordinals(key, from..to).into_iter().collect::<Vec<_>>(), within);
        }
    }
}

#[test]
fn batches_are_found_by_ordinal_and_by_time() {
    let index = MemoryIndex::new(Position(5));
    let place = |ordinal, offset, time| BatchPlace { ordinal, offset, recorded_at: Timestamp(time) };
    index.place_batch(place(0, 4096, -10), [4208, 4300 / 8 * 8]);
    index.place_batch(place(2, 8192, 20), [8304]);
    assert_eq!(index.batch_of(1), Some(place(0, 4096, -10)));
    assert_eq!(index.batch_of(2), Some(place(2, 8192, 20)));
    assert_eq!(index.offset_of(2), Some(8304));
    assert_eq!(index.offset_of(3), None);
    assert_eq!(index.first_batch_since(Timestamp(-10)), Some(place(0, 4096, -10)));
    assert_eq!(index.first_batch_since(Timestamp(0)), Some(place(2, 8192, 20)));
    assert_eq!(index.first_batch_since(Timestamp(21)), None);
}
