//! Making one file of many: what they know of streams, categories, types and tags, added up.

use super::binding::Binding;
use super::index_file::IndexFile;
use super::index_writer::IndexWriter;
use super::rejected::Damaged;
use super::terms::Terms;
use crate::disk::Disk;
use crate::index::key::Kind;
use crate::index::term::Term;
use crate::log::appear;
use gesta_model::Position;
use std::{io, iter};
use thiserror::Error;

/// The kinds that a summary knows; request and event ids are asked for where they were used.
pub(crate) const SUMMED_UP: [Kind; 4] = [Kind::Stream, Kind::Category, Kind::Type, Kind::Tag];

/// Why a summary was not made.
#[derive(Debug, Error)]
pub(crate) enum SummaryError {
    /// The new file cannot be written.
    #[error("cannot write the summary: {0}")]
    Io(#[from] io::Error),
    /// One of the files that it is made of is to be made anew first.
    #[error("index file {input} of those to sum up is damaged: {damaged}")]
    Damaged {
        /// Which of the inputs.
        input: usize,
        damaged: Damaged,
    },
}

/// Writes the summary of some files, oldest first, which follow on each other; whole or not at all.
pub(crate) fn write_summary<D: Disk>(
    disk: &D,
    name: &str,
    binding: &Binding,
    end: Position,
    inputs: &[&IndexFile<D>],
) -> Result<(), SummaryError> {
    assert!(inputs.windows(2).all(|pair| pair[0].end() == pair[1].base()), "the inputs follow on each other");
    let ends = (inputs.first().map(|input| input.base()), inputs.last().map(|input| input.end()));
    assert_eq!(ends, (Some(binding.base), Some(end)), "the inputs are what is summed up");
    let mut damage = None;
    let written = appear(disk, name, |file| {
        let mut writer = IndexWriter::summary(file, *binding, end);
        for term in SUMMED_UP.into_iter().flat_map(|kind| Merge::new(inputs, kind)) {
            match term {
                Ok(term) => writer.push(&term, None)?,
                Err(error) => {
                    damage = Some(error);
                    return Err(io::ErrorKind::InvalidData.into());
                }
            }
        }
        for (input, file) in inputs.iter().enumerate() {
            if let Err(damaged) = file.require_every_page() {
                damage = Some((input, damaged));
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        writer.finish(iter::empty(), iter::empty())
    });
    match damage {
        Some((input, damaged)) => Err(SummaryError::Damaged { input, damaged }),
        None => Ok(written.map(drop)?),
    }
}

/// The terms of one kind over all files, each key once.
struct Merge<'f, D: Disk> {
    inputs: Vec<(Option<Term>, Terms<'f, D>)>,
    /// The input that is damaged; nothing comes after it.
    damage: Option<(usize, Damaged)>,
    is_over: bool,
}

impl<'f, D: Disk> Merge<'f, D> {
    fn new(inputs: &[&'f IndexFile<D>], kind: Kind) -> Self {
        let inputs = inputs.iter().map(|input| (None, input.terms(kind))).collect();
        let mut merge = Self { inputs, damage: None, is_over: false };
        (0..merge.inputs.len()).for_each(|input| merge.advance(input));
        merge
    }

    fn advance(&mut self, input: usize) {
        let (head, terms) = &mut self.inputs[input];
        *head = None;
        match terms.next() {
            Some(Ok(term)) => *head = Some(term),
            Some(Err(damaged)) => self.damage = self.damage.or(Some((input, damaged))),
            None => {}
        }
    }
}

impl<D: Disk> Iterator for Merge<'_, D> {
    type Item = Result<Term, (usize, Damaged)>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(damage) = self.damage.filter(|_| !self.is_over) {
            self.is_over = true;
            return Some(Err(damage));
        }
        let key =
            self.inputs.iter().filter_map(|(head, _)| head.map(|term| term.key)).min().filter(|_| !self.is_over)?;
        let mut merged: Option<Term> = None;
        for input in 0..self.inputs.len() {
            let Some(term) = self.inputs[input].0.filter(|term| term.key == key) else { continue };
            let Some(joined) = merged.map_or(Some(term), |older| join(&older, &term)) else {
                self.is_over = true;
                return Some(Err((input, Damaged("the revisions of a stream are more than there can be"))));
            };
            merged = Some(joined);
            self.advance(input);
        }
        merged.map(Ok)
    }
}

/// What two stretches of the log that follow on each other know of a key; `None` when that cannot be.
fn join(older: &Term, newer: &Term) -> Option<Term> {
    let count = older.count.checked_add(newer.count)?;
    older.first_revision.map_or(Some(count), |first| first.0.checked_add(count))?;
    Some(Term { count, last: newer.last, ..*older })
}
