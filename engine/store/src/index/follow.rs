//! Making the index of a log that is there: at opening, and on as another process's log grows.

use super::file::{Binding, IndexFile};
use super::fill::Filled;
use super::handle::Index;
use super::memory::MemoryIndex;
use super::part::Part;
use super::summaries::{levels, runs};
use crate::disk::Disk;
use crate::log::{Segment, index_name};
use gesta_model::{Damage, Position};
use std::sync::Arc;

/// How far an index follows its log: the last segment that was read into memory.
#[derive(Debug, Default)]
pub(crate) struct Following {
    tail: Option<(u64, Filled)>,
    /// A segment that was read into memory already, as far as it goes.
    recovered: Option<(u64, Arc<MemoryIndex>, Filled)>,
}

impl Following {
    /// At the beginning of a log whose tail was read while it was recovered, up to an offset and a position.
    pub(crate) fn recovered(number: u64, memory: Arc<MemoryIndex>, offset: u64, position: Position) -> Self {
        Self { tail: None, recovered: Some((number, memory, Filled { offset, position })) }
    }
}

impl<D: Disk> Index<D> {
    /// Takes the files of sealed segments and reads the tail up to the readable watermark; names what is damaged there.
    ///
    /// A sealed segment whose file is missing or cannot be believed is read when somebody asks for it.
    pub(crate) fn follow(&self, disk: &D, following: &mut Following) -> Vec<Damage> {
        let readable = self.log().watermarks.readable();
        let segments = self.log().segments.load();
        let known = following.tail.map_or(0, |(number, _)| number);
        let mut damage = Vec::new();
        for (ordinal, segment) in segments.list.iter().enumerate().filter(|(_, segment)| segment.number >= known) {
            let next = segments.list.get(ordinal + 1);
            let end = next.map_or(readable, |next| next.base.min(readable));
            if let Some((number, memory, filled)) = following.recovered.take_if(|tail| tail.0 == segment.number) {
                // A tail that was sealed, and nothing after it, may have its file already.
                if let Some(file) = open_file(disk, self, segment) {
                    self.push(Part::in_file(number, Arc::new(file)));
                    continue;
                }
                self.push(Part::in_memory(number, memory));
                following.tail = Some((number, filled));
            }
            let memory = match self.memory_of(segment.number) {
                Some(memory) => memory,
                None if next.is_none() && segment.seal().is_none() => self.begin_part(segment.number, segment.base),
                None => {
                    self.push(open_part(disk, self, segment));
                    continue;
                }
            };
            let filled = following.tail.filter(|(number, _)| *number == segment.number);
            let mut filled = filled.map_or_else(|| Filled::nothing_of(segment), |(_, filled)| filled);
            damage.extend(filled.read_on(self.log(), segment, end, (&self.keyring, &memory)));
            following.tail = Some((segment.number, filled));
        }
        self.take_summaries(disk);
        damage
    }

    /// Takes the summaries that are there.
    fn take_summaries(&self, disk: &D) {
        let set = self.set.load();
        let sealed_count = self.sealed_count(&set);
        for (first, last) in levels(sealed_count).flat_map(|level| runs(level, sealed_count)) {
            if set.summary(first, last).is_none() {
                self.take_summary(disk, first, last);
            }
        }
    }

    /// The part that the writer adds to: of the open tail segment, or of the one that begins at `base`.
    pub(crate) fn tail_part(&self, number: u64, base: Position) -> Arc<MemoryIndex> {
        self.memory_of(number).unwrap_or_else(|| self.begin_part(number, base))
    }

    /// The memory of a segment's part, if it is there.
    fn memory_of(&self, number: u64) -> Option<Arc<MemoryIndex>> {
        let set = self.set.load();
        let ordinal = set.parts.binary_search_by_key(&number, |part| part.number).ok()?;
        set.parts[ordinal].memory()
    }

    fn push(&self, part: Part<D>) {
        let part = Arc::new(part);
        self.set.rcu(|set| set.with(Arc::clone(&part)));
    }
}

/// The part of a sealed segment, in its file if that can be believed.
pub(super) fn open_part<D: Disk>(disk: &D, index: &Index<D>, segment: &Segment<D>) -> Part<D> {
    match open_file(disk, index, segment) {
        Some(file) => Part::in_file(segment.number, Arc::new(file)),
        None => Part::lost(segment.number, segment.base),
    }
}

/// The index file of a sealed segment, if it is bound to exactly that segment.
pub(super) fn open_file<D: Disk>(disk: &D, index: &Index<D>, segment: &Segment<D>) -> Option<IndexFile<D>> {
    let binding = binding_of(index, segment)?;
    IndexFile::open(disk, &index_name(segment.number, binding.generation), &binding).ok()
}

/// What the index file of a sealed segment must say of itself.
pub(super) fn binding_of<D: Disk>(index: &Index<D>, segment: &Segment<D>) -> Option<Binding> {
    Some(Binding {
        store_id: index.log().store_id,
        first_number: segment.number,
        last_number: segment.number,
        generation: 0,
        seal: segment.seal()?,
        base: segment.base,
    })
}
