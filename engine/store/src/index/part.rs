//! The index of one segment, wherever it is: in memory, in its file, or lost and read from the log anew.

use super::file::{Damaged, IndexFile};
use super::fill::Filled;
use super::key::{Key, Keyring, Kind};
use super::memory::MemoryIndex;
use super::place::BatchPlace;
use super::set::IndexSet;
use super::term::Term;
use crate::disk::Disk;
use crate::log::Log;
use crate::sabotage::{Bug, has};
use crate::sync::ArcSwap;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use gesta_model::{Damage, Position, Timestamp};
use roaring::RoaringBitmap;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The index of one segment.
pub(crate) struct Part<D: Disk> {
    /// The number of the segment.
    pub(crate) number: u64,
    /// The position of ordinal 0.
    pub(crate) base: Position,
    state: Mutex<State<D>>,
}

enum State<D: Disk> {
    /// The tail's, or of a segment that was sealed a moment ago.
    Memory(Arc<MemoryIndex>),
    File(Arc<IndexFile<D>>),
    /// There is no file that can be believed.
    Lost,
    /// Lost, and read from the segment anew; forgotten when others need the memory.
    Rebuilt(Arc<MemoryIndex>),
}

/// Where a part is read from.
pub(crate) enum Source<D: Disk> {
    Memory(Arc<MemoryIndex>),
    File(Arc<IndexFile<D>>),
}

impl<D: Disk> Part<D> {
    /// A part in memory.
    pub(crate) fn in_memory(number: u64, index: Arc<MemoryIndex>) -> Self {
        Self { number, base: index.base(), state: Mutex::new(State::Memory(index)) }
    }

    /// A part in its file.
    pub(crate) fn in_file(number: u64, file: Arc<IndexFile<D>>) -> Self {
        Self { number, base: file.base(), state: Mutex::new(State::File(file)) }
    }

    /// A part whose file is missing or cannot be believed.
    pub(crate) fn lost(number: u64, base: Position) -> Self {
        Self { number, base, state: Mutex::new(State::Lost) }
    }

    /// Asks the part; `end` is where the segment ends. Where the file turns out to be damaged, the segment is read instead.
    pub(crate) fn ask<T>(
        &self,
        reading: &Reading<'_, D>,
        end: Position,
        question: impl Fn(&Source<D>) -> Result<T, Damaged>,
    ) -> T {
        loop {
            let source = self.source(reading, end);
            let answer = question(&source).and_then(|answer| source.require_every_page().map(|()| answer));
            if let Ok(answer) = answer {
                reading.forget_rebuilt();
                return answer;
            }
            self.lose();
            reading.note_lost();
        }
    }

    /// The file, if the part is in one.
    pub(crate) fn file(&self) -> Option<Arc<IndexFile<D>>> {
        match &*self.state.lock() {
            State::File(file) => Some(Arc::clone(file)),
            State::Memory(_) | State::Lost | State::Rebuilt(_) => None,
        }
    }

    /// The memory of a part that was never lost, if it is there.
    pub(crate) fn memory(&self) -> Option<Arc<MemoryIndex>> {
        match &*self.state.lock() {
            State::Memory(memory) => Some(Arc::clone(memory)),
            State::File(_) | State::Lost | State::Rebuilt(_) => None,
        }
    }

    /// Gives back the memory of a part that was read anew.
    pub(super) fn forget(&self) {
        let mut state = self.state.lock();
        if matches!(*state, State::Rebuilt(_)) {
            *state = State::Lost;
        }
    }

    /// Takes the file from now on.
    pub(crate) fn moved_to(&self, file: Arc<IndexFile<D>>) {
        *self.state.lock() = State::File(file);
    }

    /// Believes the file no more: the segment will be read instead. What is in memory was read from the segment.
    pub(crate) fn lose(&self) {
        let mut state = self.state.lock();
        if matches!(*state, State::File(_)) {
            *state = State::Lost;
        }
    }

    /// Where to read; a lost part is made anew from the log first, by the first who needs it.
    pub(crate) fn source(&self, reading: &Reading<'_, D>, end: Position) -> Source<D> {
        let mut state = self.state.lock();
        if matches!(*state, State::Lost) {
            let memory = Arc::new(MemoryIndex::new(self.base));
            reading.read_segment(self.number, end, &memory);
            reading.rebuilt.lock().push_back(self.number);
            *state = State::Rebuilt(memory);
        }
        match &*state {
            State::Memory(memory) | State::Rebuilt(memory) => Source::Memory(Arc::clone(memory)),
            State::File(file) => Source::File(Arc::clone(file)),
            State::Lost => unreachable!("it was made anew"),
        }
    }
}

/// What is needed to make a lost part anew.
pub(crate) struct Reading<'l, D: Disk> {
    pub(crate) log: &'l Log<D>,
    pub(crate) keyring: &'l Keyring,
    pub(super) set: &'l ArcSwap<IndexSet<D>>,
    /// The numbers of parts that were made anew, the oldest first.
    pub(super) rebuilt: &'l Mutex<VecDeque<u64>>,
    pub(super) has_lost: &'l AtomicBool,
}

/// How many parts that were made anew stay in memory.
const REBUILT_MAX: usize = 4;

impl<D: Disk> Reading<'_, D> {
    /// Lets the keeper know that a file must be made anew.
    pub(super) fn note_lost(&self) {
        // Relaxed: nothing else is published with it; the keeper looks at the parts under their locks.
        self.has_lost.store(true, Ordering::Relaxed);
    }

    /// Forgets the oldest parts that were made anew, beyond a few.
    fn forget_rebuilt(&self) {
        loop {
            let mut rebuilt = self.rebuilt.lock();
            let oldest = rebuilt.len().checked_sub(REBUILT_MAX + 1).and_then(|_| rebuilt.pop_front());
            drop(rebuilt);
            let Some(oldest) = oldest else { return };
            if let Some(part) = self.set.load().part(oldest) {
                part.forget();
            }
        }
    }

    fn read_segment(&self, number: u64, end: Position, memory: &MemoryIndex) {
        let segments = self.log.segments.load();
        if let Some(segment) = segments.list.iter().find(|segment| segment.number == number) {
            Filled::nothing_of(segment).read_on(self.log, segment, end, (self.keyring, memory));
        } else {
            let what = "the segment is missing".to_owned();
            let file = format!("segment {number}");
            memory.note_gap(Damage { file, offset: 0, positions: memory.base()..end, what });
        }
    }
}

impl<D: Disk> Source<D> {
    /// Refuses what was just read when the disk has lost a page of the file.
    pub(crate) fn require_every_page(&self) -> Result<(), Damaged> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::File(file) => file.require_every_page(),
        }
    }

    /// What is known of a key, of the ordinals below `end`.
    pub(crate) fn term(&self, key: Key, end: u32) -> Result<Option<Term>, Damaged> {
        match self {
            Self::Memory(memory) => Ok(memory.term(key, end)),
            Self::File(file) => file.term(key),
        }
    }

    /// The ordinals of a term, within a range.
    pub(crate) fn ordinals(&self, term: &Term, mut within: Range<u32>) -> Result<RoaringBitmap, Damaged> {
        if has(Bug::ListOffByOne) && within.start < within.end {
            within.start += 1;
        }
        match self {
            Self::Memory(memory) => Ok(memory.ordinals(term.key, within)),
            Self::File(file) => file.ordinals(term, within),
        }
    }

    /// The ordinal of the n-th event of a term, from 0, of the ordinals below `end`.
    pub(crate) fn nth_ordinal(&self, term: &Term, nth: u64, end: u32) -> Result<Option<u32>, Damaged> {
        match self {
            Self::Memory(memory) => Ok(memory.nth_ordinal(term.key, nth, end)),
            Self::File(file) => Ok(file.ordinals_from(term, nth, 1)?.first().copied()),
        }
    }

    /// Where in the segment file the record of an ordinal begins; `None` where the log is damaged.
    pub(crate) fn offset_of(&self, ordinal: u32) -> Result<Option<u64>, Damaged> {
        match self {
            Self::Memory(memory) => Ok(memory.offset_of(ordinal)),
            Self::File(file) => file.offset_of(ordinal).map(Some),
        }
    }

    /// The batch that holds an ordinal.
    pub(crate) fn batch_of(&self, ordinal: u32) -> Result<Option<BatchPlace>, Damaged> {
        match self {
            Self::Memory(memory) => Ok(memory.batch_of(ordinal)),
            Self::File(file) => file.batch_of(ordinal).map(Some),
        }
    }

    /// The first batch that the store took at a time or later.
    pub(crate) fn first_batch_since(&self, time: Timestamp) -> Result<Option<BatchPlace>, Damaged> {
        match self {
            Self::Memory(memory) => Ok(memory.first_batch_since(time)),
            Self::File(file) => file.first_batch_since(time),
        }
    }

    /// All terms of a kind, in no particular order.
    pub(crate) fn terms(&self, kind: Kind, end: u32) -> Result<Vec<Term>, Damaged> {
        match self {
            Self::Memory(memory) => {
                let keys = memory.keys().filter(|key| key.is(kind));
                Ok(keys.filter_map(|key| memory.term(key, end)).collect())
            }
            Self::File(file) => file.terms(kind).collect(),
        }
    }

    /// Positions below `end` that are not indexed, because the log is damaged there or missing.
    pub(crate) fn gaps_up_to(&self, end: Position) -> Vec<Damage> {
        match self {
            Self::Memory(memory) => memory.gaps(),
            Self::File(file) if file.end() < end => {
                let what = format!("the segment that held what follows position {} is missing", file.end());
                vec![Damage { file: "the log".to_owned(), offset: 0, positions: file.end()..end, what }]
            }
            Self::File(_) => Vec::new(),
        }
    }
}
