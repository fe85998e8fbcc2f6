//! The header page of an index file: what it speaks of, and where everything in it stands.
//!
//! ```text
//!    0  magic 8                   89 'G' 'I' 'D' 'X' 0d 0a 1a
//!    8  endian u32                0x0a0b0c0d
//!   12  version u32               1
//!   16  incompatible u64          features without which the file cannot be read
//!   24  read_only_compatible u64  features without which it cannot be written
//!   32  compatible u64            features that may be ignored
//!   40  store_id 16
//!   56  first_number u64          the first segment covered
//!   64  last_number u64           the last one, included
//!   72  generation u32
//!   76  form u32                  1: index of one segment, 2: summary
//!   80  seal 16                   the fingerprint of the seal of the last segment covered
//!   96  base u64                  the first position covered
//!  104  end u64                   the first position beyond
//!  112  file_bytes u64            the length of the file
//!  120  kinds 6 * { row_count u32 | bucket_bits u32 }        streams, categories, types, tags, requests, events
//!  168  sections 8 * { offset u64 | length u64 }             rows, buckets, filter, postings, offsets, batches, checks; free
//!  296  filter { seed u64 | segment_length u32 | segment_count_length u32 }
//!  312  checks_crc u32            CRC-32 of the section `checks`
//!  316  zeros
//! 4092  crc u32                   CRC-32 of the page before it
//! ```

use super::binding::Binding;
use super::blocks::BLOCK_BYTES;
use super::buckets::{KIND_COUNT, KindRows};
use super::bytes::{read_u32, read_u64, read_u128, write_u32, write_u64, write_u128};
use super::filter::FilterShape;
use super::rejected::{Damaged, Rejected};
use super::row::ROW_BYTES;
use super::section::{SECTION_COUNT, Section, SectionName, Sections};
use gesta_model::{Position, Uuid};

const MAGIC: [u8; 8] = *b"\x89GIDX\r\n\x1a";
const ENDIAN_MARK: u32 = 0x0a0b_0c0d;
const VERSION_NOW: u32 = 1;

const ENDIAN: usize = MAGIC.len();
const VERSION: usize = ENDIAN + 4;
const INCOMPATIBLE: usize = VERSION + 4;
const READ_ONLY_COMPATIBLE: usize = INCOMPATIBLE + 8;
const COMPATIBLE: usize = READ_ONLY_COMPATIBLE + 8;
const STORE_ID: usize = COMPATIBLE + 8;
const FIRST_NUMBER: usize = STORE_ID + 16;
const LAST_NUMBER: usize = FIRST_NUMBER + 8;
const GENERATION: usize = LAST_NUMBER + 8;
const FORM: usize = GENERATION + 4;
const SEAL: usize = FORM + 4;
const BASE: usize = SEAL + 16;
const END: usize = BASE + 8;
const FILE_BYTES: usize = END + 8;
const KINDS: usize = FILE_BYTES + 8;
const KIND_BYTES: usize = 8;
const SECTIONS: usize = KINDS + KIND_COUNT * KIND_BYTES;
const SECTION_BYTES: usize = 16;
/// Places in the section table; those without a section are zero.
const SECTION_PLACES: usize = 8;
const FILTER_SEED: usize = SECTIONS + SECTION_PLACES * SECTION_BYTES;
const FILTER_SEGMENT_LENGTH: usize = FILTER_SEED + 8;
const FILTER_SEGMENT_COUNT_LENGTH: usize = FILTER_SEGMENT_LENGTH + 4;
const CHECKS_CRC: usize = FILTER_SEGMENT_COUNT_LENGTH + 4;
const ZEROS: usize = CHECKS_CRC + 4;
const CRC: usize = HEADER_PAGE_BYTES - 4;
const _: () = assert!(KINDS == 120 && SECTIONS == 168 && FILTER_SEED == 296 && ZEROS == 316);
const _: () = assert!(SECTION_COUNT <= SECTION_PLACES && ZEROS < CRC);

/// Bytes before the first section.
pub(super) const HEADER_PAGE_BYTES: usize = 4096;
/// Far beyond any index: a longer file is not believed, so that nothing is reserved for it.
const FILE_BYTES_MAX: u64 = 1 << 40;

/// What a file holds.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Everything about one segment.
    Segment = 1,
    /// Only the rows of many.
    Summary = 2,
}

/// What an index file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) binding: Binding,
    pub(super) form: Form,
    pub(super) end: Position,
    pub(super) file_bytes: u64,
    pub(super) kinds: KindRows,
    pub(super) sections: Sections,
    pub(super) filter: Option<FilterShape>,
    pub(super) checks_crc: u32,
}

impl Header {
    /// The header page.
    pub(super) fn encode(&self) -> [u8; HEADER_PAGE_BYTES] {
        let mut page = [0; HEADER_PAGE_BYTES];
        page[..ENDIAN].copy_from_slice(&MAGIC);
        write_u32(&mut page, ENDIAN, ENDIAN_MARK);
        write_u32(&mut page, VERSION, VERSION_NOW);
        page[STORE_ID..FIRST_NUMBER].copy_from_slice(self.binding.store_id.as_bytes());
        write_u64(&mut page, FIRST_NUMBER, self.binding.first_number);
        write_u64(&mut page, LAST_NUMBER, self.binding.last_number);
        write_u32(&mut page, GENERATION, self.binding.generation);
        write_u32(&mut page, FORM, self.form as u32);
        write_u128(&mut page, SEAL, self.binding.seal);
        write_u64(&mut page, BASE, self.binding.base.0);
        write_u64(&mut page, END, self.end.0);
        write_u64(&mut page, FILE_BYTES, self.file_bytes);
        for (ordinal, (row_count, bits)) in self.kinds.stated().enumerate() {
            write_u32(&mut page, KINDS + ordinal * KIND_BYTES, row_count);
            write_u32(&mut page, KINDS + ordinal * KIND_BYTES + 4, bits);
        }
        for (ordinal, section) in self.sections.all().iter().enumerate() {
            write_u64(&mut page, SECTIONS + ordinal * SECTION_BYTES, section.offset);
            write_u64(&mut page, SECTIONS + ordinal * SECTION_BYTES + 8, section.length);
        }
        if let Some(filter) = &self.filter {
            write_u64(&mut page, FILTER_SEED, filter.seed);
            write_u32(&mut page, FILTER_SEGMENT_LENGTH, filter.segment_length);
            write_u32(&mut page, FILTER_SEGMENT_COUNT_LENGTH, filter.segment_count_length);
        }
        write_u32(&mut page, CHECKS_CRC, self.checks_crc);
        let crc = crc32fast::hash(&page[..CRC]);
        write_u32(&mut page, CRC, crc);
        page
    }

    /// Reads a header page; every section of the answer lies inside a file of `file_bytes`, and is as long as the rest
    /// of the header has it.
    pub(super) fn decode(page: &[u8; HEADER_PAGE_BYTES], file_bytes: u64) -> Result<Self, Rejected> {
        if page[..ENDIAN] != MAGIC || read_u32(page, ENDIAN) != ENDIAN_MARK {
            return Err(Rejected::Damaged("it does not begin like an index file"));
        }
        if crc32fast::hash(&page[..CRC]) != read_u32(page, CRC) {
            return Err(Rejected::Damaged("the checksum of its header page does not match"));
        }
        let version = read_u32(page, VERSION);
        if version != VERSION_NOW || read_u64(page, INCOMPATIBLE) != 0 || read_u64(page, READ_ONLY_COMPATIBLE) != 0 {
            return Err(Rejected::Unsupported(version));
        }
        let form = match read_u32(page, FORM) {
            1 => Form::Segment,
            2 => Form::Summary,
            _ => return Err(Rejected::Damaged("it is neither an index nor a summary")),
        };
        let mut store_id = [0; 16];
        store_id.copy_from_slice(&page[STORE_ID..FIRST_NUMBER]);
        let binding = Binding {
            store_id: Uuid::from_bytes(store_id),
            first_number: read_u64(page, FIRST_NUMBER),
            last_number: read_u64(page, LAST_NUMBER),
            generation: read_u32(page, GENERATION),
            seal: read_u128(page, SEAL),
            base: Position(read_u64(page, BASE)),
        };
        let header = Self {
            binding,
            form,
            end: Position(read_u64(page, END)),
            file_bytes: read_u64(page, FILE_BYTES),
            kinds: decode_kinds(page)?,
            sections: decode_sections(page),
            filter: decode_filter(page),
            checks_crc: read_u32(page, CHECKS_CRC),
        };
        header.validate(file_bytes)?;
        Ok(header)
    }

    /// How many events the file speaks of.
    pub(super) fn event_count(&self) -> u64 {
        self.end.since(self.binding.base)
    }

    fn validate(&self, file_bytes: u64) -> Result<(), Damaged> {
        if self.file_bytes != file_bytes {
            return Err(Damaged("it is not as long as it says"));
        }
        if file_bytes > FILE_BYTES_MAX || self.end < self.binding.base {
            return Err(Damaged("its header page makes no sense"));
        }
        self.validate_places()?;
        self.validate_lengths()?;
        match &self.filter {
            Some(filter) => filter.validate(self.sections.of(SectionName::Filter).length),
            None if self.sections.of(SectionName::Filter).length == 0 => Ok(()),
            None => Err(Damaged("its filter has no shape")),
        }
    }

    /// Sections lie between the header page and the checks, and the checks are the end of the file.
    fn validate_places(&self) -> Result<(), Damaged> {
        let wrong = Err(Damaged("a section of it lies outside"));
        let checks = self.sections.of(SectionName::Checks);
        let first = HEADER_PAGE_BYTES as u64;
        if checks.offset < first || checks.offset.checked_add(checks.length) != Some(self.file_bytes) {
            return wrong;
        }
        if !checks.offset.is_multiple_of(BLOCK_BYTES) || checks.length != (checks.offset - first) / BLOCK_BYTES * 4 {
            return wrong;
        }
        let is_inside = |section: &Section| {
            section.offset >= first
                && section.offset.checked_add(section.length).is_some_and(|end| end <= checks.offset)
        };
        let inside = &self.sections.all()[..SectionName::Checks as usize];
        if inside.iter().all(is_inside) { Ok(()) } else { wrong }
    }

    fn validate_lengths(&self) -> Result<(), Damaged> {
        let length = |name| self.sections.of(name).length;
        let events = self.event_count();
        let is_right = match self.form {
            Form::Segment => {
                u32::try_from(events).is_ok()
                    && length(SectionName::Offsets) == events * 4
                    && length(SectionName::Batches) % 16 == 0
            }
            Form::Summary => {
                length(SectionName::Postings) == 0
                    && length(SectionName::Offsets) == 0
                    && length(SectionName::Batches) == 0
            }
        };
        let rows = self.kinds.row_count() * ROW_BYTES as u64;
        if is_right && length(SectionName::Rows) == rows && length(SectionName::Buckets) == self.kinds.entry_count() * 4
        {
            Ok(())
        } else {
            Err(Damaged("a section of it has the wrong length"))
        }
    }
}

fn decode_kinds(page: &[u8]) -> Result<KindRows, Damaged> {
    let mut stated = [(0, 0); KIND_COUNT];
    for (ordinal, kind) in stated.iter_mut().enumerate() {
        let at = KINDS + ordinal * KIND_BYTES;
        *kind = (read_u32(page, at), read_u32(page, at + 4));
    }
    KindRows::new(stated).ok_or(Damaged("its rows are counted wrongly"))
}

fn decode_sections(page: &[u8]) -> Sections {
    let mut sections = [Section::default(); SECTION_COUNT];
    for (ordinal, section) in sections.iter_mut().enumerate() {
        let at = SECTIONS + ordinal * SECTION_BYTES;
        *section = Section { offset: read_u64(page, at), length: read_u64(page, at + 8) };
    }
    Sections::new(sections)
}

fn decode_filter(page: &[u8]) -> Option<FilterShape> {
    let shape = FilterShape {
        seed: read_u64(page, FILTER_SEED),
        segment_length: read_u32(page, FILTER_SEGMENT_LENGTH),
        segment_count_length: read_u32(page, FILTER_SEGMENT_COUNT_LENGTH),
    };
    (shape.segment_length != 0).then_some(shape)
}
