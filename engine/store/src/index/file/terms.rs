//! The terms of one kind, one after the other.

use super::index_file::IndexFile;
use super::rejected::Damaged;
use crate::disk::Disk;
use crate::index::key::Key;
use crate::index::term::Term;
use std::ops::Range;

/// Terms in the order of their keys; ends after the first damage.
pub(crate) struct Terms<'f, D: Disk> {
    file: &'f IndexFile<D>,
    rows: Range<u64>,
    previous: Option<Key>,
}

impl<'f, D: Disk> Terms<'f, D> {
    pub(super) fn new(file: &'f IndexFile<D>, rows: Range<u64>) -> Self {
        Self { file, rows, previous: None }
    }

    fn read(&mut self, row: u64) -> Result<Term, Damaged> {
        let term = self.file.decode(self.file.rows(row..row + 1)?)?;
        // Whoever merges files relies on the order.
        if self.previous.replace(term.key).is_some_and(|previous| previous >= term.key) {
            return Err(Damaged("its rows are out of order"));
        }
        Ok(term)
    }
}

impl<D: Disk> Iterator for Terms<'_, D> {
    type Item = Result<Term, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        let term = self.read(row);
        if term.is_err() {
            self.rows = 0..0;
        }
        Some(term)
    }
}
