//! What is known of one key within a stretch of the log.

use super::key::Key;
use gesta_model::{Position, Revision};

/// What is known of one key within a stretch of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) key: Key,
    /// How many events have it.
    pub(crate) count: u64,
    pub(crate) first: Position,
    pub(crate) last: Position,
    /// Of a stream: the revision of its first event in the stretch.
    pub(crate) first_revision: Option<Revision>,
    /// Where its postings lie in the index file; 0 in memory and in summaries.
    pub(crate) postings: u64,
}

impl Term {
    /// Of a stream: the revision of its last event in the stretch.
    pub(crate) fn last_revision(&self) -> Option<Revision> {
        self.first_revision.map(|first| Revision(first.0 + self.count - 1))
    }
}
