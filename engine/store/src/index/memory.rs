//! The index of one segment in memory: of the tail, which grows while it is read, and of a segment whose file is missing.
//!
//! ```text
//!  terms      key -> first ordinal, first revision, count and last posting
//!  postings   ordinal | the posting of the same key before it: a chain a key, newest first
//!  offsets    ordinal -> where in the segment file its record begins
//!  batches    where each batch begins, and when the store took it
//! ```
//!
//! One thread at a time adds terms (under the sequencer's lock), one places batches (whoever commits); readers take no
//! lock. An *ordinal* is a position counted from the segment's base. What was accepted but is not readable yet stands in
//! here already: whoever asks says up to which ordinal they may see.

use super::append_list::AppendList;
use super::key::Key;
use super::place::BatchPlace;
use super::term::Term;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use gesta_model::{Damage, Position, Revision, Timestamp};
use roaring::RoaringBitmap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

/// Rough bytes of memory that a term costs.
const TERM_BYTES: usize = 112;

/// The index of one segment in memory.
#[derive(Debug)]
pub(crate) struct MemoryIndex {
    base: Position,
    terms: Terms,
    postings: AppendList,
    offsets: AppendList,
    batches: AppendList,
    batch_times: AppendList,
    /// Positions that could not be indexed because the log is damaged there.
    gaps: Mutex<Vec<Damage>>,
}

type Terms = papaya::HashMap<Key, MemoryTerm, BuildHasherDefault<KeyHasher>>;
/// The terms, kept in place while they are looked at.
type TermsPin<'t> = papaya::HashMapRef<'t, Key, MemoryTerm, BuildHasherDefault<KeyHasher>, papaya::LocalGuard<'t>>;

/// What memory keeps of a key.
#[derive(Debug)]
struct MemoryTerm {
    first: u32,
    /// The ordinal of the last posting, for the thread that adds: the posting itself lies far away.
    last: AtomicU32,
    first_revision: u64,
    /// How many postings there are, and which is the last: published together.
    chain: AtomicU64,
}

/// What a posting was added to.
struct Placed {
    first_revision: u64,
    count_before: u32,
    /// The ordinal of the posting before it.
    before: Option<u32>,
}

const NO_REVISION: u64 = u64::MAX;
/// Before the first posting of a chain.
const NO_POSTING: u32 = u32::MAX;

impl MemoryIndex {
    /// An empty index of the segment that begins at a position.
    pub(crate) fn new(base: Position) -> Self {
        Self {
            base,
            terms: Terms::default(),
            postings: AppendList::default(),
            offsets: AppendList::default(),
            batches: AppendList::default(),
            batch_times: AppendList::default(),
            gaps: Mutex::default(),
        }
    }

    /// The position of ordinal 0.
    pub(crate) fn base(&self) -> Position {
        self.base
    }

    /// The ordinal of a position; the last one for positions far beyond.
    pub(crate) fn ordinal(&self, position: Position) -> u32 {
        u32::try_from(position.since(self.base)).unwrap_or(u32::MAX)
    }

    /// How many events have been placed in the segment file.
    pub(crate) fn placed_count(&self) -> u32 {
        number(self.offsets.len())
    }

    /// About how much memory the index takes.
    pub(crate) fn bytes(&self) -> usize {
        self.terms.pin().len() * TERM_BYTES + (self.postings.len() + self.offsets.len() + 2 * self.batches.len()) * 8
    }

    /// Adds an event that stands in the log with its keys; ordinals never go back. `revision` is the event's in its stream,
    /// whose key comes first.
    pub(crate) fn add(&self, ordinal: u32, keys: &[Key], revision: Option<Revision>) {
        let terms = self.terms.pin();
        let stream_count = usize::from(revision.is_some());
        if let (Some(stream), Some(revision)) = (keys.first(), revision) {
            self.add_posting(&terms, *stream, ordinal, || revision.0);
        }
        for key in &keys[stream_count..] {
            self.add_posting(&terms, *key, ordinal, || NO_REVISION);
        }
    }

    /// Adds the next event of a stream, whose key comes first; `first_revision` tells its revision when the stream has no
    /// events here yet. Returns the event's revision, and the ordinal of the stream's event before it.
    pub(crate) fn add_next(
        &self,
        ordinal: u32,
        keys: &[Key],
        first_revision: impl FnOnce() -> Revision,
    ) -> (Revision, Option<u32>) {
        let terms = self.terms.pin();
        let placed = self.add_posting(&terms, keys[0], ordinal, || first_revision().0);
        for key in &keys[1..] {
            self.add_posting(&terms, *key, ordinal, || NO_REVISION);
        }
        (Revision(placed.first_revision + u64::from(placed.count_before)), placed.before)
    }

    /// Whether a key has any events here, readable or not.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.terms.pin().contains_key(&key)
    }

    fn add_posting(
        &self,
        terms: &TermsPin<'_>,
        key: Key,
        ordinal: u32,
        first_revision: impl FnOnce() -> u64,
    ) -> Placed {
        let posting = number(self.postings.len());
        let Some(term) = terms.get(&key) else {
            let first_revision = first_revision();
            self.postings.push(join(ordinal, NO_POSTING));
            let chain = AtomicU64::new(join(1, posting));
            terms.insert(key, MemoryTerm { first: ordinal, last: AtomicU32::new(ordinal), first_revision, chain });
            return Placed { first_revision, count_before: 0, before: None };
        };
        // Relaxed: only the thread that adds writes them.
        let (count_before, last) = split(term.chain.load(Ordering::Relaxed));
        let before = term.last.load(Ordering::Relaxed);
        // An event may carry the same tag twice.
        if before != ordinal {
            term.last.store(ordinal, Ordering::Relaxed);
            self.postings.push(join(ordinal, last));
            // Release: pairs with the Acquire in `chain_below`; the posting is in place.
            term.chain.store(join(count_before + 1, posting), Ordering::Release);
        }
        Placed { first_revision: term.first_revision, count_before, before: Some(before) }
    }

    /// Notes where a batch lies, and each of its records, given by their offsets in the segment file.
    pub(crate) fn place_batch(&self, place: BatchPlace, records: impl IntoIterator<Item = u64>) {
        debug_assert_eq!(place.ordinal as usize, self.offsets.len());
        self.batch_times.push(place.recorded_at.0.cast_unsigned());
        self.batches.push((u64::from(place.ordinal) << 32) | (place.offset / 8));
        for offset in records {
            self.offsets.push(offset / 8);
        }
    }

    /// Notes positions that are damaged in the log; what stood there has no postings.
    pub(crate) fn note_gap(&self, damage: Damage) {
        // Ordinals go on after the gap.
        for _ in self.offsets.len()..self.ordinal(damage.positions.end) as usize {
            self.offsets.push(0);
        }
        self.gaps.lock().push(damage);
    }

    /// The damage that lies within ordinals.
    pub(crate) fn gaps(&self) -> Vec<Damage> {
        self.gaps.lock().clone()
    }

    /// What is known of a key, of the ordinals below `end`.
    pub(crate) fn term(&self, key: Key, end: u32) -> Option<Term> {
        let terms = self.terms.pin();
        let term = terms.get(&key).filter(|term| term.first < end)?;
        let (count, last) = self.chain_below(term, end)?;
        Some(Term {
            key,
            count: u64::from(count),
            first: self.base.plus(u64::from(term.first)),
            last: self.base.plus(u64::from(self.posting(last).0)),
            first_revision: (term.first_revision != NO_REVISION).then_some(Revision(term.first_revision)),
            postings: 0,
        })
    }

    /// The ordinals that have a key, within a range.
    pub(crate) fn ordinals(&self, key: Key, within: Range<u32>) -> RoaringBitmap {
        let terms = self.terms.pin();
        let found = terms.get(&key).and_then(|term| self.chain_below(term, within.end));
        let mut ordinals = Vec::new();
        let mut next = found.map_or(NO_POSTING, |(_, last)| last);
        while next != NO_POSTING {
            let (ordinal, before) = self.posting(next);
            if ordinal < within.start {
                break;
            }
            ordinals.push(ordinal);
            next = before;
        }
        ordinals.reverse();
        RoaringBitmap::from_sorted_iter(ordinals).unwrap_or_default()
    }

    /// The ordinal of the n-th event that has a key, from 0, of the ordinals below `end`.
    pub(crate) fn nth_ordinal(&self, key: Key, nth: u64, end: u32) -> Option<u32> {
        let terms = self.terms.pin();
        let (count, mut posting) = self.chain_below(terms.get(&key)?, end)?;
        let back = u64::from(count).checked_sub(nth.checked_add(1)?)?;
        for _ in 0..back {
            posting = self.posting(posting).1;
        }
        Some(self.posting(posting).0)
    }

    /// Where in the segment file the record of an ordinal begins.
    pub(crate) fn offset_of(&self, ordinal: u32) -> Option<u64> {
        self.offsets.at(ordinal as usize).map(|offset| offset * 8).filter(|offset| *offset != 0)
    }

    /// The batch that holds an ordinal.
    pub(crate) fn batch_of(&self, ordinal: u32) -> Option<BatchPlace> {
        let after = self.batches.partition_point(|batch| batch >> 32 <= u64::from(ordinal));
        self.batch_at(after.checked_sub(1)?)
    }

    /// The first batch that the store took at a time or later.
    pub(crate) fn first_batch_since(&self, time: Timestamp) -> Option<BatchPlace> {
        self.batch_at(self.batch_times.partition_point(|recorded_at| recorded_at.cast_signed() < time.0))
    }

    /// All batches, in order.
    pub(crate) fn batches(&self) -> impl Iterator<Item = BatchPlace> {
        (0..self.batches.len()).map_while(|number| self.batch_at(number))
    }

    /// The offsets of all records below an ordinal.
    pub(crate) fn offsets_below(&self, end: u32) -> impl Iterator<Item = u64> {
        (0..end as usize).map_while(|number| self.offsets.at(number)).map(|offset| offset * 8)
    }

    /// All terms of the ordinals below `end` with their ordinals, by key.
    pub(crate) fn terms_by_key(&self, end: u32) -> impl Iterator<Item = (Term, Vec<u32>)> {
        let mut keys: Vec<Key> = self.keys().collect();
        keys.sort_unstable();
        keys.into_iter().filter_map(move |key| {
            let term = self.term(key, end)?;
            let ordinals = self.ordinals(key, 0..end).into_iter().collect();
            Some((term, ordinals))
        })
    }

    /// All keys, in no particular order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        self.terms.pin().keys().copied().collect::<Vec<_>>().into_iter()
    }

    fn batch_at(&self, number: usize) -> Option<BatchPlace> {
        let batch = self.batches.at(number)?;
        let recorded_at = Timestamp(self.batch_times.at(number)?.cast_signed());
        let (ordinal, offset) = split(batch);
        Some(BatchPlace { ordinal, offset: u64::from(offset) * 8, recorded_at })
    }

    /// How many postings of a term lie below an ordinal, and the last of them.
    fn chain_below(&self, term: &MemoryTerm, end: u32) -> Option<(u32, u32)> {
        // Acquire: pairs with the Release in `add`.
        let (mut count, mut last) = split(term.chain.load(Ordering::Acquire));
        while last != NO_POSTING {
            let (ordinal, before) = self.posting(last);
            if ordinal < end {
                return Some((count, last));
            }
            count -= 1;
            last = before;
        }
        None
    }

    /// The ordinal of a posting, and the one before it in its chain.
    fn posting(&self, number: u32) -> (u32, u32) {
        split(self.postings.at(number as usize).expect("a chain holds postings that are in place"))
    }
}

/// A place in a list; a segment has far fewer events than 2^32.
fn number(place: usize) -> u32 {
    u32::try_from(place).expect("a segment holds fewer than 2^32 postings")
}

/// Two halves as one number.
fn join(upper: u32, lower: u32) -> u64 {
    (u64::from(upper) << 32) | u64::from(lower)
}

/// The upper and the lower half.
#[allow(clippy::cast_possible_truncation, reason = "each half has 32 bits")]
fn split(number: u64) -> (u32, u32) {
    ((number >> 32) as u32, number as u32)
}

/// Keys are hashes already.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a key is one number");
    }

    #[allow(clippy::cast_possible_truncation, reason = "the lower half is as random as the whole")]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
#[path = "memory_test.rs"]
mod tests;
