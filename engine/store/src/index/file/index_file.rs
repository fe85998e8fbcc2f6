//! An open index file: what one stretch of the log holds of a key, a position or a time.
//!
//! Nothing is read before it is asked for, and nothing is answered from bytes that were not checked. `Damaged` means that
//! the file is to be thrown away and made anew; it says nothing about the log.

use super::binding::Binding;
use super::blocks::Blocks;
use super::bytes::{read_i64, read_u32, read_u128};
use super::header::{Form, HEADER_PAGE_BYTES, Header};
use super::list::{Extent, List};
use super::rejected::{Damaged, Rejected};
use super::row::{KEY, ROW_BYTES, decode_row};
use super::section::{Section, SectionName};
use super::terms::Terms;
use crate::disk::{Access, Disk, DiskFile};
use crate::index::key::{Key, Kind};
use crate::index::place::BatchPlace;
use crate::index::term::Term;
use crate::log::parse_summary_name;
use gesta_model::{Position, Timestamp};
use roaring::RoaringBitmap;
use std::io;
use std::ops::Range;

/// Bytes of one row number in the buckets.
const ENTRY_BYTES: u64 = 4;
/// Bytes of one event in the offsets.
pub(super) const OFFSET_BYTES: u64 = 4;
/// Bytes of one batch in the batches.
pub(super) const BATCH_BYTES: u64 = 16;
/// What offsets in a segment are multiples of.
pub(super) const ALIGNMENT: u64 = 8;

/// An index of one segment, or a summary of many.
pub(crate) struct IndexFile<D: Disk> {
    header: Header,
    blocks: Blocks<D>,
}

impl<D: Disk> IndexFile<D> {
    /// Opens a file if it is what the binding says. Reads the header page and no more.
    pub(crate) fn open(disk: &D, name: &str, expected: &Binding) -> Result<Self, Rejected> {
        let file = disk.open(name, Access::Read).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Rejected::Absent,
            _ => unreadable(error),
        })?;
        let file_bytes = file.len().map_err(unreadable)?;
        if file_bytes < HEADER_PAGE_BYTES as u64 {
            return Err(Rejected::Damaged("it is cut off"));
        }
        let mut page = [0; HEADER_PAGE_BYTES];
        file.read_at(&mut page, 0).map_err(unreadable)?;
        let header = Header::decode(&page, file_bytes)?;
        let form = if parse_summary_name(name).is_some() { Form::Summary } else { Form::Segment };
        if header.binding != *expected || header.form != form {
            return Err(Rejected::Foreign);
        }
        let view = file.view(0..file_bytes).map_err(unreadable)?;
        let blocks = Blocks::new(file, view, &header);
        Ok(Self { header, blocks })
    }

    /// The first position that it speaks of.
    pub(crate) fn base(&self) -> Position {
        self.header.binding.base
    }

    /// The first position beyond.
    pub(crate) fn end(&self) -> Position {
        self.header.end
    }

    /// Refuses what was just read when the disk has lost a page of the file.
    pub(crate) fn require_every_page(&self) -> Result<(), Damaged> {
        self.blocks.require_every_page()
    }

    /// Bytes of the file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.blocks.file_bytes()
    }

    /// What is known of a key.
    pub(crate) fn term(&self, key: Key) -> Result<Option<Term>, Damaged> {
        let Some(kind) = key.kind() else { return Ok(None) };
        let kind = self.header.kinds.of(kind);
        if kind.row_count == 0 || !self.may_hold(key)? {
            return Ok(None);
        }
        let entry = kind.entry_of(key) * ENTRY_BYTES;
        let bucket = self.blocks.within(self.section(SectionName::Buckets), entry..entry + 2 * ENTRY_BYTES)?;
        let rows = self.rows(kind.rows(read_u32(bucket, 0), read_u32(bucket, 4))?)?;
        let row = rows.chunks_exact(ROW_BYTES).find(|row| read_u128(row, KEY) >= key.0);
        match row {
            Some(row) if read_u128(row, KEY) == key.0 => self.decode(row).map(Some),
            _ => Ok(None),
        }
    }

    /// All terms of a kind, in the order of their keys.
    pub(crate) fn terms(&self, kind: Kind) -> Terms<'_, D> {
        let kind = self.header.kinds.of(kind);
        Terms::new(self, kind.first_row..kind.first_row + kind.row_count)
    }

    /// The events of a term, counted from the base, as far as they lie in a range.
    pub(crate) fn ordinals(&self, term: &Term, within: Range<u32>) -> Result<RoaringBitmap, Damaged> {
        self.list(term)?.within(within)
    }

    /// At most `limit` events of a term, counted from the base, without the first `skip`.
    ///
    /// Backwards, before the event numbered `r` of the term: skip `r - limit` and turn the answer round.
    pub(crate) fn ordinals_from(&self, term: &Term, skip: u64, limit: usize) -> Result<Vec<u32>, Damaged> {
        self.list(term)?.from(skip, limit)
    }

    /// Where in the segment file the record of an event begins.
    pub(crate) fn offset_of(&self, ordinal: u32) -> Result<u64, Damaged> {
        let at = u64::from(ordinal) * OFFSET_BYTES;
        let offset = self.blocks.within(self.section(SectionName::Offsets), at..at + OFFSET_BYTES)?;
        Ok(u64::from(read_u32(offset, 0)) * ALIGNMENT)
    }

    /// The batch that holds an event.
    pub(crate) fn batch_of(&self, ordinal: u32) -> Result<BatchPlace, Damaged> {
        let after = self.first_batch(|batch| batch.ordinal > ordinal)?;
        let batch = after.checked_sub(1).filter(|_| u64::from(ordinal) < self.header.event_count());
        self.batch(batch.ok_or(Damaged("an event of it lies in no batch"))?)
    }

    /// The first batch that the store took at a time or after it.
    pub(crate) fn first_batch_since(&self, time: Timestamp) -> Result<Option<BatchPlace>, Damaged> {
        let number = self.first_batch(|batch| batch.recorded_at >= time)?;
        if number == self.batch_count() { Ok(None) } else { self.batch(number).map(Some) }
    }

    /// How many blocks the file has.
    pub(crate) fn block_count(&self) -> u64 {
        self.blocks.count()
    }

    /// Reads and checks every block.
    pub(crate) fn verify(&self) -> Result<(), Damaged> {
        self.verify_some(0..self.block_count())
    }

    /// Reads and checks some blocks; the first one is the header page.
    pub(crate) fn verify_some(&self, blocks: Range<u64>) -> Result<(), Damaged> {
        if blocks.start == 0 {
            let header = Header::decode(&self.blocks.header_page()?, self.file_bytes());
            if header.ok().as_ref() != Some(&self.header) {
                return Err(Damaged("its header page is not what it was"));
            }
        }
        self.blocks.check_some(blocks)
    }

    /// Lets go of what the system keeps in memory of the file and nobody looks at in place.
    pub(crate) fn drop_cache(&self) {
        self.blocks.drop_cache();
    }

    /// The bytes of some rows.
    pub(super) fn rows(&self, numbers: Range<u64>) -> Result<&[u8], Damaged> {
        let bytes = ROW_BYTES as u64;
        self.blocks.within(self.section(SectionName::Rows), numbers.start * bytes..numbers.end * bytes)
    }

    pub(super) fn decode(&self, row: &[u8]) -> Result<Term, Damaged> {
        decode_row(row, &(self.base()..self.end()))
    }

    fn section(&self, name: SectionName) -> Section {
        self.header.sections.of(name)
    }

    fn may_hold(&self, key: Key) -> Result<bool, Damaged> {
        let Some(filter) = &self.header.filter else { return Ok(true) };
        let section = self.section(SectionName::Filter);
        let (places, expected) = filter.probe(key);
        let mut found = 0;
        for place in places {
            found ^= self.blocks.within(section, place..place + 1)?[0];
        }
        Ok(found == expected)
    }

    fn list(&self, term: &Term) -> Result<List<'_, D>, Damaged> {
        let ordinal = |position: Position| {
            let is_inside = (self.base()..self.end()).contains(&position);
            let ordinal = u32::try_from(position.since(self.base())).ok().filter(|_| is_inside);
            ordinal.ok_or(Damaged("a term lies outside"))
        };
        let extent = Extent { count: term.count, first: ordinal(term.first)?, last: ordinal(term.last)? };
        List::open(&self.blocks, self.section(SectionName::Postings), term.postings, extent)
    }

    fn batch_count(&self) -> u64 {
        self.section(SectionName::Batches).length / BATCH_BYTES
    }

    fn batch(&self, number: u64) -> Result<BatchPlace, Damaged> {
        let section = self.section(SectionName::Batches);
        let batch = self.blocks.within(section, number * BATCH_BYTES..(number + 1) * BATCH_BYTES)?;
        Ok(BatchPlace {
            ordinal: read_u32(batch, 0),
            offset: u64::from(read_u32(batch, 4)) * ALIGNMENT,
            recorded_at: Timestamp(read_i64(batch, 8)),
        })
    }

    /// The number of the first batch of which something holds that holds of all later ones; the batch count if of none.
    fn first_batch(&self, holds: impl Fn(&BatchPlace) -> bool) -> Result<u64, Damaged> {
        let (mut low, mut high) = (0, self.batch_count());
        while low < high {
            let middle = low + (high - low) / 2;
            if holds(&self.batch(middle)?) { high = middle } else { low = middle + 1 }
        }
        Ok(low)
    }
}

fn unreadable(error: io::Error) -> Rejected {
    Rejected::Unreadable(error.to_string())
}
