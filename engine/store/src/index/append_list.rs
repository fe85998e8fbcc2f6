//! A list that one thread appends to while others look into it, without locks and without moving what is there.

use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// Numbers in chunks of one length, which shelves hold: each shelf is twice as long as the one before.
///
/// Chunks are short so that a list takes little more than it holds, no push has to clear much, and the allocator gives the chunks
/// of a list that went to the next one, instead of pages that the system has to bring and to clear first.
///
/// Invariant: the first `len` places are filled and never change again. Upheld by the one thread that calls
/// [`AppendList::push`].
#[derive(Debug, Default)]
pub(crate) struct AppendList {
    shelves: [OnceLock<Shelf>; Self::SHELF_COUNT],
    len: AtomicUsize,
}

type Shelf = Box<[OnceLock<Chunk>]>;
type Chunk = Box<[AtomicU64]>;

impl AppendList {
    /// Shuttle's atomics are large, and its stores small.
    const CHUNK_BITS: u32 = if cfg!(gesta_shuttle) { 3 } else { 11 };
    const SHELF_COUNT: usize = 22;

    /// Adds a number at the end; only ever called by one thread at a time.
    pub(crate) fn push(&self, number: u64) {
        // Relaxed: only the thread that pushes writes it.
        let len = self.len.load(Ordering::Relaxed);
        let place = Place::of(len);
        let shelf = self.shelves[place.shelf].get_or_init(|| filled(1 << place.shelf, OnceLock::new));
        let chunk = shelf[place.chunk].get_or_init(|| filled(1 << Self::CHUNK_BITS, AtomicU64::default));
        // Relaxed: published by the store below.
        chunk[place.number].store(number, Ordering::Relaxed);
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
        let place = Place::of(index);
        let chunk = self.shelves[place.shelf].get()?[place.chunk].get()?;
        // Relaxed: `len` has made it visible, and it never changes again.
        Some(chunk[place.number].load(Ordering::Relaxed))
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

/// Where a number is.
struct Place {
    shelf: usize,
    chunk: usize,
    number: usize,
}

impl Place {
    fn of(index: usize) -> Self {
        let chunk = (index >> AppendList::CHUNK_BITS) + 1;
        let shelf = chunk.ilog2() as usize;
        Self { shelf, chunk: chunk - (1 << shelf), number: index % (1 << AppendList::CHUNK_BITS) }
    }
}

fn filled<T>(length: usize, with: fn() -> T) -> Box<[T]> {
    std::iter::repeat_with(with).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_where_they_were_put() {
        let list = AppendList::default();
        for number in 0..50_000 {
            assert_eq!(list.at(number), None);
            list.push(number as u64 * 3);
        }
        assert!((0..50_000).all(|number| list.at(number) == Some(number as u64 * 3)));
        assert_eq!(list.partition_point(|number| number < 300), 100);
        assert_eq!(list.partition_point(|_| true), 50_000);
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
