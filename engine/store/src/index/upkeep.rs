//! Writing the files of the index, a step at a time: of segments that were sealed, of files that were lost, of summaries.
//!
//! Nothing waits for this. A file that cannot be written leaves its part in memory; the next call tries again.

use super::fetch::segment_of;
use super::file::{Binding, IndexFile, SummaryError, write_index, write_summary};
use super::follow::{binding_of, open_file};
use super::handle::Index;
use super::memory::MemoryIndex;
use super::part::{Part, Source};
use super::summaries::{FAN_OUT, Summary, levels, runs};
use crate::disk::Disk;
use crate::log::{Segment, index_name, parse_summary_name, summary_name};
use gesta_model::Position;
use std::io;
use std::sync::Arc;

impl<D: Disk> Index<D> {
    /// Writes one file that is missing; tells whether there was one.
    pub(crate) fn keep(&self, disk: &D) -> io::Result<bool> {
        let _writing = self.upkeep.lock();
        Ok(self.keep_part(disk, |_| true)? || self.keep_summary(disk)?)
    }

    /// Makes all files anew from the log; `progress` is told how many of how many segments are done.
    pub(crate) fn rebuild(&self, disk: &D, progress: &mut dyn FnMut(u64, u64)) -> io::Result<()> {
        let _writing = self.upkeep.lock();
        self.set.rcu(|set| set.without_summaries());
        for name in disk.list()?.iter().filter(|name| parse_summary_name(name).is_some()) {
            disk.remove(name)?;
        }
        let set = self.set.load();
        let sealed = &set.parts[..set.parts.len().saturating_sub(1)];
        for (done, part) in (1..).zip(sealed) {
            part.lose();
            self.keep_part(disk, |meant| meant.number == part.number)?;
            progress(done, sealed.len() as u64);
        }
        while self.keep_summary(disk)? {}
        Ok(())
    }

    /// Writes the index files of all segments that were sealed since the store was opened, and the summaries that these
    /// complete.
    pub(crate) fn keep_sealed(&self, disk: &D) -> io::Result<()> {
        let _writing = self.upkeep.lock();
        while self.keep_part(disk, |part| part.memory().is_some())? {}
        while self.keep_summary(disk)? {}
        Ok(())
    }

    /// Writes the index file of one sealed segment that has none.
    fn keep_part(&self, disk: &D, is_meant: impl Fn(&Part<D>) -> bool) -> io::Result<bool> {
        let set = self.set.load();
        for pair in set.parts.windows(2) {
            let [part, next] = pair else { continue };
            let segment = segment_of(self.log(), part.number).filter(|segment| segment.seal().is_some());
            let Some(segment) = segment.filter(|_| part.file().is_none() && is_meant(part)) else { continue };
            let Source::Memory(memory) = part.source(&self.reading(), next.base) else { continue };
            // What is missing from memory must not be forgotten by writing it.
            if !memory.gaps().is_empty() {
                continue;
            }
            self.write_part(disk, part, &segment, (&memory, next.base))?;
            return Ok(true);
        }
        Ok(false)
    }

    fn write_part(
        &self,
        disk: &D,
        part: &Part<D>,
        segment: &Segment<D>,
        (memory, end): (&MemoryIndex, Position),
    ) -> io::Result<()> {
        let binding = binding_of(self, segment).ok_or(io::ErrorKind::InvalidData)?;
        let end_ordinal = memory.ordinal(end);
        debug_assert_eq!(memory.placed_count(), end_ordinal, "a sealed segment is placed as a whole");
        let terms: Vec<_> = memory.terms_by_key(end_ordinal).collect();
        let term_count = terms.len();
        let offsets = memory.offsets_below(end_ordinal);
        let name = index_name(segment.number, binding.generation);
        write_index(disk, &name, &binding, end, terms.into_iter(), term_count, offsets, memory.batches())?;
        let file = open_file(disk, self, segment);
        part.moved_to(Arc::new(file.ok_or_else(|| io::Error::other(format!("{name} cannot be read back")))?));
        Ok(())
    }

    /// Writes one summary that is missing and whose parts are all in files.
    fn keep_summary(&self, disk: &D) -> io::Result<bool> {
        let set = self.set.load();
        let sealed_count = self.sealed_count(&set);
        if set.parts.first().is_none_or(|first| first.number != 1) {
            return Ok(false);
        }
        for level in levels(sealed_count) {
            for (first, last) in runs(level, sealed_count) {
                if set.summary(first, last).is_some() {
                    continue;
                }
                let step = FAN_OUT.pow(level - 1);
                let inputs: Option<Vec<Arc<IndexFile<D>>>> = (0..FAN_OUT)
                    .map(|input| match level {
                        1 => set.part(first + input).and_then(|part| part.file()),
                        _ => {
                            let from = first + input * step;
                            set.summary(from, from + step - 1).map(|summary| Arc::clone(&summary.file))
                        }
                    })
                    .collect();
                let Some((inputs, binding)) = inputs.zip(self.summary_binding(first, last)) else { continue };
                if !inputs.windows(2).all(|pair| pair[0].end() == pair[1].base()) {
                    continue;
                }
                let inputs: Vec<&IndexFile<D>> = inputs.iter().map(AsRef::as_ref).collect();
                let end = inputs.last().map_or(binding.base, |input| input.end());
                match write_summary(disk, &summary_name(first, last), &binding, end, &inputs) {
                    Ok(()) => {}
                    Err(SummaryError::Io(error)) => return Err(error),
                    Err(SummaryError::Damaged { input, .. }) => {
                        let from = first + input as u64 * step;
                        match level {
                            1 => set.part(from).into_iter().for_each(|part| part.lose()),
                            _ => set.summary(from, from + step - 1).into_iter().for_each(|summary| summary.lose()),
                        }
                        return Ok(level == 1);
                    }
                }
                return Ok(self.take_summary(disk, first, last));
            }
        }
        Ok(false)
    }

    /// Opens a summary, if it is bound to exactly these segments, and uses it from now on; tells whether it does.
    pub(super) fn take_summary(&self, disk: &D, first: u64, last: u64) -> bool {
        let Some(binding) = self.summary_binding(first, last) else { return false };
        let Ok(file) = IndexFile::open(disk, &summary_name(first, last), &binding) else { return false };
        let summary = Arc::new(Summary::in_file(first, last, Arc::new(file)));
        self.set.rcu(|set| set.with_summary(Arc::clone(&summary)));
        true
    }

    fn summary_binding(&self, first: u64, last: u64) -> Option<Binding> {
        let first_segment = segment_of(self.log(), first)?;
        let binding = binding_of(self, &*segment_of(self.log(), last)?)?;
        Some(Binding { first_number: first, base: first_segment.base, ..binding })
    }
}
