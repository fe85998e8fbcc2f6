//! Reading an index file in use again, some blocks at a time: one that is damaged is believed no more, and made anew by the
//! next upkeep.

use super::file::{BLOCK_BYTES, IndexFile};
use super::handle::Index;
use super::part::Part;
use super::summaries::Summary;
use crate::disk::Disk;
use crate::log::{index_name, summary_name};
use std::sync::Arc;

/// An index file that is being read again.
pub(crate) struct Inspection<D: Disk> {
    name: String,
    file: Arc<IndexFile<D>>,
    owner: Owner<D>,
    /// The first block that was not read yet.
    next: u64,
}

/// Who answers from the file.
enum Owner<D: Disk> {
    Part(Arc<Part<D>>),
    Summary(Arc<Summary<D>>),
}

impl<D: Disk> Index<D> {
    /// The inspection of a segment's index file, if the index uses one.
    pub(crate) fn inspect_part(&self, number: u64) -> Option<Inspection<D>> {
        let set = self.set.load();
        let part = set.part(number)?;
        let (name, file, owner) = (index_name(number, 0), part.file()?, Owner::Part(Arc::clone(part)));
        Some(Inspection { name, file, owner, next: 0 })
    }

    /// The inspection of the summary of exactly these segments, if the index uses one.
    pub(crate) fn inspect_summary(&self, (first, last): (u64, u64)) -> Option<Inspection<D>> {
        let set = self.set.load();
        let summary = set.summary(first, last)?;
        let (name, file) = (summary_name(first, last), Arc::clone(&summary.file));
        Some(Inspection { name, file, owner: Owner::Summary(Arc::clone(summary)), next: 0 })
    }

    /// The segments that each summary in use speaks of: the first, and the last.
    pub(crate) fn summed_up(&self) -> Vec<(u64, u64)> {
        self.set.load().summaries().map(|summary| (summary.first_number, summary.last_number)).collect()
    }
}

impl<D: Disk> Inspection<D> {
    /// The name of the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.file.file_bytes()
    }

    /// Bytes that were read so far.
    pub(crate) fn read_bytes(&self) -> u64 {
        if self.is_over() { self.file_bytes() } else { self.next * BLOCK_BYTES }
    }

    /// Whether the whole file was read.
    pub(crate) fn is_over(&self) -> bool {
        self.next >= self.file.block_count()
    }

    /// Reads on, about so many bytes. What is damaged is asked no more from then on; the answer says what is wrong with it.
    pub(crate) fn read_on(&mut self, bytes: u64) -> Result<(), String> {
        let to = self.next.saturating_add((bytes / BLOCK_BYTES).max(1)).min(self.file.block_count());
        // Where the map has lost a page, the file may be whole and is of no use all the same.
        let found = self.file.verify_some(self.next..to).and_then(|()| self.file.require_every_page());
        self.next = to;
        self.file.drop_cache();
        found.map_err(|damaged| {
            match &self.owner {
                Owner::Part(part) => part.lose(),
                Owner::Summary(summary) => summary.lose(),
            }
            damaged.to_string()
        })
    }
}
