//! A list that one thread appends to while others look into it, without locks and without moving what is there.

use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// Numbers in chunks, each twice as long as the one before.
///
/// Invariant: the first `len` places are filled and never change again. Upheld by the one thread that calls
/// [`AppendList::push`].
#[derive(Debug, Default)]
pub(crate) struct AppendList {
    chunks: [OnceLock<Box<[AtomicU64]>>; Self::CHUNK_COUNT],
    len: AtomicUsize,
}

impl AppendList {
    /// Shuttle's atomics are large, and its stores small.
    const FIRST_BITS: u32 = if cfg!(gesta_shuttle) { 3 } else { 10 };
    const CHUNK_COUNT: usize = 23;

    /// Adds a number at the end; only ever called by one thread at a time.
    pub(crate) fn push(&self, number: u64) {
        // Relaxed: only the thread that pushes writes it.
        let len = self.len.load(Ordering::Relaxed);
        let (chunk, place) = locate(len);
        let chunk = self.chunks[chunk].get_or_init(|| {
            let length = (1_usize << Self::FIRST_BITS) << chunk;
            std::iter::repeat_with(AtomicU64::default).take(length).collect()
        });
        // Relaxed: published by the store below.
        chunk[place].store(number, Ordering::Relaxed);
        // Release: pairs with the Acquire in `len`; whoever sees the length sees the number.
        self.len.store(len + 1, Ordering::Release);
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        // Acquire: pairs with the Release in `push`.
        self.len.load(Ordering::Acquire)
    }

    /// The number at a place; `None` beyond the end.
    pub(crate) fn at(&self, index: usize) -> Option<u64> {
        if index >= self.len() {
            return None;
        }
        let (chunk, place) = locate(index);
        // Relaxed: `len` has made it visible, and it never changes again.
        self.chunks[chunk].get().map(|chunk| chunk[place].load(Ordering::Relaxed))
    }

    /// How many of the first numbers `holds` is true of; it is true of some first ones and of none after.
    pub(crate) fn partition_point(&self, holds: impl Fn(u64) -> bool) -> usize {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from + (to - from) / 2;
            if self.at(middle).is_some_and(&holds) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }
}

/// The chunk that holds a place, and where in it.
fn locate(index: usize) -> (usize, usize) {
    let first = 1_usize << AppendList::FIRST_BITS;
    let shifted = index + first;
    let bits = usize::BITS - 1 - shifted.leading_zeros();
    ((bits - AppendList::FIRST_BITS) as usize, shifted - (1 << bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_where_they_were_put() {
        let list = AppendList::default();
        for number in 0..5_000 {
            assert_eq!(list.at(number), None);
            list.push(number as u64 * 3);
        }
        assert!((0..5_000).all(|number| list.at(number) == Some(number as u64 * 3)));
        assert_eq!(list.partition_point(|number| number < 300), 100);
        assert_eq!(list.partition_point(|_| true), 5_000);
    }

    #[test]
    fn a_reader_sees_only_whole_numbers_in_order() {
        let list = AppendList::default();
        std::thread::scope(|scope| {
            let list = &list;
            scope.spawn(move || (0..200_000).for_each(|number| list.push(number + 1)));
            scope.spawn(move || {
                while list.len() < 200_000 {
                    let len = list.len();
                    if let Some(last) = len.checked_sub(1) {
                        assert_eq!(list.at(last), Some(len as u64));
                    }
                }
            });
        });
    }
}
