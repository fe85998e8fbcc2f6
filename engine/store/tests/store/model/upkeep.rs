//! The files of the index: lost, damaged, made anew, and looked over.

use super::answer::{Checked, fail};
use super::tally::{INDEX_LOST, SUMMED_UP};
use super::world::{World, mixed};
use proptest::prelude::*;

/// What may be said of the index files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum IndexState {
    /// Every sealed segment has its file.
    Whole,
    /// A crash may have come before a file was made; each file that is there is whole.
    MayLack,
    /// Somebody has been at the files.
    MayBeDamaged,
}

impl World {
    /// Makes all index files anew.
    pub(super) fn rebuild_index(&mut self) -> Checked {
        let mut told = Vec::new();
        self.store().rebuild_index(&mut |done, total| told.push((done, total))).map_err(fail)?;
        let total = told.len() as u64;
        prop_assert_eq!(told, (1..=total).map(|done| (done, total)).collect::<Vec<_>>());
        self.index_state = IndexState::Whole;
        self.check_index()?;
        let (indexes, summaries) = self.count_index_files();
        // Summaries of 8 segments, of 64, and so on.
        let levels = (1..).map(|level| 8_u64.pow(level)).take_while(|length| *length <= indexes);
        prop_assert_eq!(summaries, levels.map(|length| indexes / length).sum::<u64>());
        prop_assert_eq!(self.store().reader().verify_index(&mut |_, _| {}).whole, indexes + summaries);
        self.tally.add("index files made anew", indexes + summaries);
        Ok(())
    }

    /// What is wrong with the index files is what was done to them.
    pub(super) fn check_index(&mut self) -> Checked {
        let report = self.store().reader().verify_index(&mut |_, _| {});
        if self.index_state < IndexState::MayBeDamaged {
            prop_assert!(report.damaged.is_empty(), "{:?}", report);
        }
        if self.index_state == IndexState::Whole {
            prop_assert!(report.missing.is_empty(), "{:?}", report);
        }
        Ok(())
    }

    /// How many index files and summaries there are, whatever they are worth.
    pub(super) fn count_index_files(&self) -> (u64, u64) {
        let names = self.disk.file_names();
        let count = |end| names.iter().filter(|name| name.ends_with(end)).count() as u64;
        (count(".idx"), count(".sum"))
    }

    /// Notes whether what is asked now can be answered with a summary.
    pub(super) fn tally_summaries(&mut self) {
        let (_, summaries) = self.count_index_files();
        self.tally.add(SUMMED_UP, u64::from(summaries > 0));
    }

    /// Does to the index files what a device, a copy or a person could do.
    pub(super) fn lose_index(&mut self, seed: u64) {
        let names = self.disk.file_names();
        let indexes = names.into_iter().filter(|name| name.ends_with(".idx") || name.ends_with(".sum"));
        for (name, draw) in indexes.zip((0..).map(|ordinal| mixed(seed.wrapping_add(ordinal)))) {
            let image = self.disk.image(&name);
            let old = self.old_indexes.entry(name.clone()).or_insert_with(|| image.clone()).clone();
            let length = image.len() as u64;
            self.index_state = IndexState::MayBeDamaged;
            self.tally.add(INDEX_LOST, 1);
            match draw % 5 {
                0 | 1 => self.disk.delete(&name),
                2 if length > 0 => self.disk.flip_bit(&name, (draw >> 8) % length, (draw >> 3 & 7) as u8),
                3 => self.disk.restore(&name, old),
                4 => self.disk.truncate(&name, (draw >> 8) % (length + 1)),
                _ => self.disk.overwrite(&name, 0, &vec![0; image.len().min(64)]),
            }
        }
    }
}
