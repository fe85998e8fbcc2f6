//! Making the index file of one segment.

use super::binding::Binding;
use super::index_writer::IndexWriter;
use crate::disk::Disk;
use crate::index::place::BatchPlace;
use crate::index::term::Term;
use crate::log::appear;
use gesta_model::Position;
use std::io;

/// Writes the index of a segment, whole or not at all.
///
/// - `terms`: every key of the segment in order, with the ordinals of its events; `term_count` of them. What a term says
///   of its postings is not looked at.
/// - `offsets`: for every event, where its record begins in the segment file.
/// - `batches`: every batch that holds events.
#[expect(clippy::too_many_arguments, reason = "each is a part of the file, and there is one caller")]
pub(crate) fn write_index<D: Disk>(
    disk: &D,
    name: &str,
    binding: &Binding,
    end: Position,
    terms: impl Iterator<Item = (Term, Vec<u32>)>,
    term_count: usize,
    offsets: impl Iterator<Item = u64>,
    batches: impl Iterator<Item = BatchPlace>,
) -> io::Result<()> {
    let file = appear(disk, name, |file| {
        let mut writer = IndexWriter::index(file, *binding, end, term_count);
        for (term, ordinals) in terms {
            writer.push(&term, Some(&ordinals))?;
        }
        writer.finish(offsets, batches)
    })?;
    drop(file);
    Ok(())
}
