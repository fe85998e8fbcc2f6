//! What the files of the index are worth.

use super::fetch::segment_of;
use super::handle::Index;
use super::summaries::{levels, runs};
use crate::disk::Disk;
use crate::log::{index_name, summary_name};
use std::sync::Arc;

/// What reading every byte of the index files found. None of it is about the log: an index file is made anew from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Files that are whole.
    pub whole: u64,
    /// Bytes of these files.
    pub bytes: u64,
    /// Files that are damaged, with what is wrong.
    pub damaged: Vec<(String, String)>,
    /// Files that are missing, or were not believed: of sealed segments, and summaries of those. Right after a segment was
    /// sealed this may be so for a moment. No file is named here and under another heading.
    pub missing: Vec<String>,
}

impl<D: Disk> Index<D> {
    /// Bytes of all index files in use.
    pub(crate) fn file_bytes(&self) -> u64 {
        let set = self.set.load();
        let parts = set.parts.iter().filter_map(|part| part.file()).map(|file| file.file_bytes());
        parts.sum::<u64>() + set.summaries().map(|summary| summary.file.file_bytes()).sum::<u64>()
    }

    /// Reads every byte of the index files; `progress` is told how many of how many files were read.
    pub(crate) fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> IndexReport {
        let set = self.set.load();
        let mut report = IndexReport::default();
        let mut files = Vec::new();
        for part in &set.parts {
            let is_sealed = segment_of(self.log(), part.number).is_some_and(|segment| segment.seal().is_some());
            let name = index_name(part.number, 0);
            match part.file() {
                Some(file) => files.push((name, file, true)),
                None if is_sealed => report.missing.push(name),
                None => {}
            }
        }
        let sealed_count = self.sealed_count(&set);
        for (first, last) in levels(sealed_count).flat_map(|level| runs(level, sealed_count)) {
            let name = summary_name(first, last);
            match set.summaries().find(|summary| summary.is_of(first, last)) {
                Some(summary) => files.push((name, Arc::clone(&summary.file), summary.is_believed())),
                None => report.missing.push(name),
            }
        }
        let file_count = files.len() as u64;
        for (done, (name, file, is_believed)) in (1..).zip(files) {
            match file.verify() {
                Ok(()) if is_believed => {
                    report.whole += 1;
                    report.bytes += file.file_bytes();
                }
                // Its bytes are those that were checked, yet what they say cannot be.
                Ok(()) => report.missing.push(name),
                Err(damaged) => report.damaged.push((name, damaged.to_string())),
            }
            progress(done, file_count);
        }
        report
    }
}
