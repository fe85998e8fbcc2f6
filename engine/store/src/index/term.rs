//! What the index knows of one key.

use super::key::Key;
use gesta_model::{Position, Revision};

/// What is known of one key within a stretch of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) key: Key,
    /// How many events have it; at least 1.
    pub(crate) count: u64,
    /// The first event that has it.
    pub(crate) first: Position,
    /// The last event that has it.
    pub(crate) last: Position,
    /// Of a stream: the revision of the first event.
    pub(crate) first_revision: Option<Revision>,
    /// Where in its file the list of its events stands; 0 where there is none.
    pub(crate) postings: u64,
}

impl Term {
    /// Of a stream: the revision of the last event.
    pub(crate) fn last_revision(&self) -> Option<Revision> {
        self.first_revision.map(|first| Revision(first.0 + (self.count - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_revision_follows_from_the_first_and_the_count() {
        let (first, last) = (Position(7), Position(9));
        let term = Term { key: Key(1), count: 3, first, last, first_revision: Some(Revision(4)), postings: 0 };
        assert_eq!(term.last_revision(), Some(Revision(6)));
        assert_eq!(Term { first_revision: None, ..term }.last_revision(), None);
    }
}
