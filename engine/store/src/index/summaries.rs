//! Summaries: what a run of sealed segments knows of each key, added up, so that a cold lookup asks a few files and not all.
//!
//! A summary of level *n* speaks of 8^n segments, and there is one for every such run that is sealed: segments 1 to 8, 9 to
//! 16, 1 to 64, and so on. Their names follow from that, so nothing has to remember which there are.

use super::file::{Damaged, IndexFile, SUMMED_UP};
use super::key::Key;
use super::plan::Plan;
use super::term::Term;
use crate::disk::Disk;
use crate::sync::atomic::{AtomicBool, Ordering};
use gesta_model::Position;
use std::ops::Range;
use std::sync::Arc;

/// How many files of one level a summary of the next adds up.
pub(super) const FAN_OUT: u64 = 8;

/// One summary.
pub(crate) struct Summary<D: Disk> {
    /// The segments that it speaks of, both included.
    pub(super) first_number: u64,
    pub(super) last_number: u64,
    pub(super) file: Arc<IndexFile<D>>,
    /// It is asked no more, and is to be made anew.
    ///
    /// Relaxed wherever it is used: it publishes nothing, and who sees it late asks in vain once more.
    is_damaged: AtomicBool,
}

impl<D: Disk> Summary<D> {
    /// A summary in its file.
    pub(super) fn in_file(first_number: u64, last_number: u64, file: Arc<IndexFile<D>>) -> Self {
        Self { first_number, last_number, file, is_damaged: AtomicBool::new(false) }
    }

    /// Whether it speaks of exactly these segments.
    pub(super) fn is_of(&self, first: u64, last: u64) -> bool {
        (self.first_number, self.last_number) == (first, last)
    }

    /// Whether nothing speaks against believing it.
    pub(super) fn is_believed(&self) -> bool {
        !self.is_damaged.load(Ordering::Relaxed)
    }

    /// Believes it no more.
    pub(super) fn lose(&self) {
        self.is_damaged.store(true, Ordering::Relaxed);
    }

    /// The positions that it speaks of.
    pub(super) fn positions(&self) -> Range<Position> {
        self.file.base()..self.file.end()
    }

    /// What is known of a key.
    pub(super) fn term(&self, key: Key) -> Result<Option<Term>, Damaged> {
        let term = self.file.term(key).and_then(|term| self.file.require_every_page().map(|()| term));
        term.inspect_err(|_| self.lose())
    }

    /// Whether an event may match here. What a summary does not know of it does not rule out, nor does a damaged one.
    pub(super) fn may_match(&self, plan: &Plan) -> bool {
        let may_have = |key: Key| {
            let is_known = key.kind().is_some_and(|kind| SUMMED_UP.contains(&kind));
            if is_known { self.term(key).map(|term| term.is_some()) } else { Ok(true) }
        };
        plan.may_match(may_have).unwrap_or(true)
    }
}

/// The runs of segments that summaries of a level speak of, among the first `segment_count` segments.
pub(super) fn runs(level: u32, segment_count: u64) -> impl Iterator<Item = (u64, u64)> {
    let length = FAN_OUT.pow(level);
    (0..segment_count / length).map(move |run| (run * length + 1, (run + 1) * length))
}

/// The levels that have any run among so many segments.
pub(super) fn levels(segment_count: u64) -> impl Iterator<Item = u32> {
    (1..).take_while(move |level| FAN_OUT.pow(*level) <= segment_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_whole_and_begin_at_the_first_segment() {
        assert_eq!(runs(1, 20).collect::<Vec<_>>(), [(1, 8), (9, 16)]);
        assert_eq!(runs(2, 63).collect::<Vec<_>>(), []);
        assert_eq!(runs(2, 130).collect::<Vec<_>>(), [(1, 64), (65, 128)]);
        assert_eq!(levels(7).collect::<Vec<_>>(), []);
        assert_eq!(levels(512).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
