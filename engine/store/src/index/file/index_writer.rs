//! Writing an index file, section by section; the header page comes last.
//!
//! ```text
//!  header page | rows | postings | offsets | batches | buckets | filter | checks
//! ```
//!
//! Rows and postings grow side by side, so the row count of a file that has postings is known from the start. In memory
//! are twelve bytes a term, and what building the filter takes: some 25 bytes more.

use super::binding::Binding;
use super::blocks::BLOCK_BYTES;
use super::buckets::{KIND_COUNT, KindRows, hash_start};
use super::filter;
use super::header::{Form, HEADER_PAGE_BYTES, Header};
use super::index_file::ALIGNMENT;
use super::postings::{INLINE_MAX, encode_list};
use super::row::{ROW_BYTES, encode_row, makes_sense};
use super::section::{SECTION_COUNT, Section, SectionName, Sections};
use super::section_writer::SectionWriter;
use crate::disk::DiskFile;
use crate::index::key::{Key, Kind};
use crate::index::place::BatchPlace;
use crate::index::term::Term;
use gesta_model::Position;
use std::io;

/// An index file that is being written.
pub(super) struct IndexWriter<'f, F: DiskFile> {
    file: &'f F,
    binding: Binding,
    form: Form,
    end: Position,
    rows: SectionWriter<'f, F>,
    postings: SectionWriter<'f, F>,
    hash_starts: [Vec<u32>; KIND_COUNT],
    folded: Vec<u64>,
    previous: Option<Key>,
    list: Vec<u8>,
}

impl<'f, F: DiskFile> IndexWriter<'f, F> {
    /// The writer of an index with so many terms.
    pub(super) fn index(file: &'f F, binding: Binding, end: Position, term_count: usize) -> Self {
        let rows_bytes = term_count as u64 * ROW_BYTES as u64;
        Self::new(file, binding, Form::Segment, end, rows_bytes.next_multiple_of(BLOCK_BYTES))
    }

    /// The writer of a summary.
    pub(super) fn summary(file: &'f F, binding: Binding, end: Position) -> Self {
        Self::new(file, binding, Form::Summary, end, 0)
    }

    fn new(file: &'f F, binding: Binding, form: Form, end: Position, rows_bytes: u64) -> Self {
        let first = HEADER_PAGE_BYTES as u64;
        Self {
            file,
            binding,
            form,
            end,
            rows: SectionWriter::new(file, first),
            postings: SectionWriter::new(file, first + rows_bytes),
            hash_starts: Default::default(),
            folded: Vec::new(),
            previous: None,
            list: Vec::new(),
        }
    }

    /// Adds the next term; of an index, with the ordinals of its events.
    pub(super) fn push(&mut self, term: &Term, ordinals: Option<&[u32]>) -> io::Result<()> {
        let mut term = Term { postings: 0, ..*term };
        assert!(makes_sense(&term, &(self.binding.base..self.end)), "a term of the log: {term:?}");
        assert!(self.previous.replace(term.key).is_none_or(|previous| previous < term.key), "terms ascend");
        assert_eq!(ordinals.is_some(), self.form == Form::Segment, "an index has postings, a summary has none");
        let kind = term.key.kind().expect("a key that makes sense has a kind");
        if let Some(ordinals) = ordinals {
            term.postings = self.push_list(kind, &term, ordinals)?;
        }
        self.hash_starts[kind as usize - 1].push(hash_start(term.key));
        self.folded.push(filter::fold(term.key));
        self.rows.push(&encode_row(&term))
    }

    fn push_list(&mut self, kind: Kind, term: &Term, ordinals: &[u32]) -> io::Result<u64> {
        let position = |ordinal: Option<&u32>| ordinal.map(|ordinal| self.binding.base.plus(u64::from(*ordinal)));
        let ends = (position(ordinals.first()), position(ordinals.last()));
        assert_eq!(ends, (Some(term.first), Some(term.last)), "a term and its list agree");
        assert_eq!(ordinals.len() as u64, term.count, "a term and its list agree");
        if term.count <= INLINE_MAX {
            return Ok(0);
        }
        let place = self.postings.length();
        self.list.clear();
        encode_list(kind, ordinals, &mut self.list)?;
        self.postings.push(&self.list)?;
        Ok(place)
    }

    /// Writes everything behind the postings, and the header page.
    pub(super) fn finish(
        self,
        offsets: impl Iterator<Item = u64>,
        batches: impl Iterator<Item = BatchPlace>,
    ) -> io::Result<()> {
        let Self { file, binding, form, end, rows, postings, hash_starts, folded, .. } = self;
        let counts = hash_starts.each_ref().map(Vec::len);
        let mut layout =
            Layout { file, next: HEADER_PAGE_BYTES as u64, sections: Default::default(), checks: Vec::new() };
        layout.place(SectionName::Rows, rows)?;
        match form {
            Form::Segment => layout.place(SectionName::Postings, postings)?,
            Form::Summary => layout.write(SectionName::Postings, |_| Ok(()))?,
        }
        layout.write(SectionName::Offsets, |section| push_offsets(section, offsets))?;
        layout.write(SectionName::Batches, |section| push_batches(section, batches))?;
        let kinds = counts.map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let kinds = KindRows::of_counts(kinds).ok_or_else(|| io::Error::other("too many terms for one index file"))?;
        layout.write(SectionName::Buckets, |section| push_buckets(section, &kinds, &hash_starts))?;
        let filter = filter::build(folded);
        let fingerprints = filter.as_ref().map_or(&[][..], |(_, fingerprints)| fingerprints);
        layout.write(SectionName::Filter, |section| section.push(fingerprints))?;
        let (sections, checks_crc, file_bytes) = layout.finish()?;
        let filter = filter.map(|(shape, _)| shape);
        let header = Header { binding, form, end, file_bytes, kinds, sections, filter, checks_crc };
        let page = header.encode();
        assert_eq!(Header::decode(&page, file_bytes).as_ref(), Ok(&header), "a header that is written can be read");
        file.write_at(&page, 0)
    }
}

/// Where sections go: one behind the other.
struct Layout<'f, F: DiskFile> {
    file: &'f F,
    next: u64,
    sections: [Section; SECTION_COUNT],
    checks: Vec<u32>,
}

impl<'f, F: DiskFile> Layout<'f, F> {
    /// Finishes a section that was begun where the next one is to stand.
    fn place(&mut self, name: SectionName, writer: SectionWriter<'f, F>) -> io::Result<()> {
        let (section, mut checks) = writer.finish()?;
        assert_eq!(section.offset, self.next, "sections leave no gap: as many terms as announced");
        self.next += checks.len() as u64 * BLOCK_BYTES;
        self.checks.append(&mut checks);
        self.sections[name as usize] = section;
        Ok(())
    }

    fn write(
        &mut self,
        name: SectionName,
        fill: impl FnOnce(&mut SectionWriter<'f, F>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut writer = SectionWriter::new(self.file, self.next);
        fill(&mut writer)?;
        self.place(name, writer)
    }

    /// Writes the checks; all sections, the checksum of the checks and the length of the file.
    fn finish(mut self) -> io::Result<(Sections, u32, u64)> {
        let checks: Vec<u8> = self.checks.iter().flat_map(|check| check.to_le_bytes()).collect();
        self.file.write_at(&checks, self.next)?;
        let section = Section { offset: self.next, length: checks.len() as u64 };
        self.sections[SectionName::Checks as usize] = section;
        Ok((Sections::new(self.sections), crc32fast::hash(&checks), section.offset + section.length))
    }
}

fn push_offsets<F: DiskFile>(section: &mut SectionWriter<'_, F>, offsets: impl Iterator<Item = u64>) -> io::Result<()> {
    for offset in offsets {
        section.push(&eighth(offset)?.to_le_bytes())?;
    }
    Ok(())
}

fn push_batches<F: DiskFile>(
    section: &mut SectionWriter<'_, F>,
    batches: impl Iterator<Item = BatchPlace>,
) -> io::Result<()> {
    let mut previous: Option<BatchPlace> = None;
    for batch in batches {
        let is_next = previous
            .is_none_or(|previous| previous.ordinal < batch.ordinal && previous.recorded_at <= batch.recorded_at);
        assert!(is_next, "batches ascend, and time never goes back: {batch:?}");
        section.push(&batch.ordinal.to_le_bytes())?;
        section.push(&eighth(batch.offset)?.to_le_bytes())?;
        section.push(&batch.recorded_at.0.to_le_bytes())?;
        previous = Some(batch);
    }
    Ok(())
}

fn push_buckets<F: DiskFile>(
    section: &mut SectionWriter<'_, F>,
    kinds: &KindRows,
    hash_starts: &[Vec<u32>; KIND_COUNT],
) -> io::Result<()> {
    for kind in Kind::ALL {
        for row in kinds.of(kind).entries(&hash_starts[kind as usize - 1]) {
            section.push(&row.to_le_bytes())?;
        }
    }
    Ok(())
}

fn eighth(offset: u64) -> io::Result<u32> {
    assert!(offset.is_multiple_of(ALIGNMENT), "batches and records are aligned");
    u32::try_from(offset / ALIGNMENT).map_err(|_| io::Error::other("the segment is too long for an index file"))
}
