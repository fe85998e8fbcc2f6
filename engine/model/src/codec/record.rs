//! A record: the framed bytes of one event, the same on disk and on the wire.
//!
//! ```text
//!  0  crc u32            CRC-32 (ISO-HDLC) of bytes 16..len; made by whoever encodes the event
//!  4  place_crc u32      that crc carried on over revision and position; made by the writer
//!  8  revision u64       within its stream; all ones without a stream
//! 16  len u32            header and body, without the padding
//! 20  flags u16          1 time is present, 2 data is JSON, 4 metadata is JSON
//! 22  tags_len u16
//! 24  id 16              never all zeros
//! 40  time i64           nanoseconds since the Unix epoch; 0 when absent
//! 48  stream_len u16     0 without a stream
//! 50  type_len u16
//! 52  metadata_len u32
//! 56  stream | type | tags, separated by line feeds | metadata | data | zeros up to a multiple of 8
//! ```
//!
//! Nothing that the encoder's crc covers changes when the writer gives the event its place.

use super::bytes::{padded, read_i64, read_u16, read_u32, read_u64, write_i64, write_u16, write_u32, write_u64};
use crate::limits::{EVENT_TYPE_BYTES_MAX, RECORD_BYTES_MAX, STREAM_NAME_BYTES_MAX, TAG_COUNT_MAX};
use crate::tag::check_tag;
use crate::{Event, Payload, Position, Revision, Tag, Timestamp, Uuid};
use thiserror::Error;

const CRC: usize = 0;
const PLACE_CRC: usize = CRC + 4;
const REVISION: usize = PLACE_CRC + 4;
const LEN: usize = REVISION + 8;
const FLAGS: usize = LEN + 4;
const TAGS_LEN: usize = FLAGS + 2;
const ID: usize = TAGS_LEN + 2;
const TIME: usize = ID + 16;
const STREAM_LEN: usize = TIME + 8;
const TYPE_LEN: usize = STREAM_LEN + 2;
const METADATA_LEN: usize = TYPE_LEN + 2;
/// Bytes of a record before its names.
pub const RECORD_HEADER_BYTES: usize = METADATA_LEN + 4;
const _: () = assert!(RECORD_HEADER_BYTES == 56);

/// Where the part begins that the encoder's crc covers.
const COVERED: usize = LEN;
const TIME_IS_PRESENT: u16 = 1;
const DATA_IS_JSON: u16 = 2;
const METADATA_IS_JSON: u16 = 4;
const KNOWN_FLAGS: u16 = TIME_IS_PRESENT | DATA_IS_JSON | METADATA_IS_JSON;

/// The revision of a record that belongs to no stream.
pub const NO_REVISION: u64 = u64::MAX;

const TAG_SEPARATOR: char = '\n';

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Fewer bytes than the record says it has.
    #[error("record is cut off")]
    CutOff,
    /// A length is impossible.
    #[error("record states an impossible length")]
    Length,
    /// The encoder's checksum does not match.
    #[error("record checksum does not match")]
    Crc,
    /// The writer's checksum of the place does not match.
    #[error("record is not in the place it was written for")]
    Place,
    /// A flag of a later version.
    #[error("record has flags this version does not know")]
    Flags,
    /// Names are not UTF-8.
    #[error("record has names that are not UTF-8")]
    Names,
    /// A name, tag, id or flag that no encoder may make.
    #[error("record has a name, tag, id or flag that is not allowed")]
    NotAllowed,
    /// The padding is not zeros.
    #[error("record padding is not zero")]
    Padding,
}

/// One event as it lies in the log, borrowed from there.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
    names: &'a str,
    stream_len: usize,
    type_len: usize,
    metadata_len: usize,
    position: Position,
}

impl<'a> Record<'a> {
    /// Reads the record at the head of `bytes`, which stands at `position`, without asking its checksums.
    ///
    /// Returns the record and the bytes it takes with its padding. Lengths are bounded by `bytes` and by each other.
    // Always: a record is nine words, and handing it from function to function costs as much as decoding it.
    #[inline(always)]
    pub fn decode(bytes: &'a [u8], position: Position) -> Result<(Self, usize), RecordError> {
        let taken = Self::measure(bytes)?;
        let header = &bytes[..RECORD_HEADER_BYTES];
        let len = read_u32(header, LEN) as usize;
        let stream_len = usize::from(read_u16(header, STREAM_LEN));
        let type_len = usize::from(read_u16(header, TYPE_LEN));
        let tags_len = usize::from(read_u16(header, TAGS_LEN));
        let metadata_len = read_u32(header, METADATA_LEN) as usize;
        let names_end = RECORD_HEADER_BYTES + stream_len + type_len + tags_len;
        if type_len == 0 || names_end + metadata_len > len {
            return Err(RecordError::Length);
        }
        if read_u16(header, FLAGS) & !KNOWN_FLAGS != 0 {
            return Err(RecordError::Flags);
        }
        let names = str::from_utf8(&bytes[RECORD_HEADER_BYTES..names_end]).map_err(|_| RecordError::Names)?;
        if !names.is_char_boundary(stream_len) || !names.is_char_boundary(stream_len + type_len) {
            return Err(RecordError::Names);
        }
        Ok((Self { bytes: &bytes[..len], names, stream_len, type_len, metadata_len, position }, taken))
    }

    /// The bytes that the record at the head of `bytes` takes with its padding, as its header states them.
    #[inline(always)]
    pub(super) fn measure(bytes: &[u8]) -> Result<usize, RecordError> {
        let header = bytes.get(..RECORD_HEADER_BYTES).ok_or(RecordError::CutOff)?;
        let len = read_u32(header, LEN) as usize;
        if !(RECORD_HEADER_BYTES..=RECORD_BYTES_MAX).contains(&len) {
            return Err(RecordError::Length);
        }
        if padded(len) > bytes.len() { Err(RecordError::CutOff) } else { Ok(padded(len)) }
    }

    /// The name of the stream of a record that was encoded here; `None` without a stream.
    pub(crate) fn stream_of(bytes: &[u8]) -> Option<&str> {
        let stream_len = usize::from(read_u16(bytes, STREAM_LEN));
        let name = str::from_utf8(&bytes[RECORD_HEADER_BYTES..RECORD_HEADER_BYTES + stream_len]);
        name.ok().filter(|name| !name.is_empty())
    }

    /// Checks a record that was reached alone: its content, and that it stands where it was written for, this position and
    /// its own revision.
    pub fn verify(&self) -> Result<(), RecordError> {
        if crc32fast::hash(&self.bytes[COVERED..]) != self.crc() {
            return Err(RecordError::Crc);
        }
        let place_crc = carry_on(self.crc(), self.raw_revision(), self.position);
        if place_crc == read_u32(self.bytes, PLACE_CRC) { Ok(()) } else { Err(RecordError::Place) }
    }

    /// Whether a writer gave it a place.
    pub(crate) fn has_place(&self) -> bool {
        read_u32(self.bytes, PLACE_CRC) != 0 || self.raw_revision() != 0
    }

    /// Checks a record that came from elsewhere as strictly as if it were encoded here: checksum, names, tags, id, flags.
    ///
    /// What passes is what [`encode_record`] makes of the same event, byte for byte, but for the place.
    pub fn verify_content(&self) -> Result<(), RecordError> {
        if crc32fast::hash(&self.bytes[COVERED..]) != self.crc() {
            return Err(RecordError::Crc);
        }
        let names_fit = self.stream_len <= STREAM_NAME_BYTES_MAX && self.type_len <= EVENT_TYPE_BYTES_MAX;
        let tags = self.tags_text();
        let tags_fit = tags.is_empty()
            || tags.split(TAG_SEPARATOR).count() <= TAG_COUNT_MAX
                && tags.split(TAG_SEPARATOR).all(|tag| check_tag(tag).is_ok());
        let is_allowed = names_fit && tags_fit && !self.id().is_nil() && self.has_one_form();
        if is_allowed { Ok(()) } else { Err(RecordError::NotAllowed) }
    }

    /// Whether what is absent is written as absent: a time as zero, and nothing is never JSON.
    fn has_one_form(&self) -> bool {
        let is_set = |flag| self.flags() & flag != 0;
        (is_set(TIME_IS_PRESENT) || read_i64(self.bytes, TIME) == 0)
            && (!is_set(DATA_IS_JSON) || !self.data().is_empty())
            && (!is_set(METADATA_IS_JSON) || !self.metadata().is_empty())
    }

    /// The event's place in the global order.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The event's number within its stream; `None` without a stream.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        match self.raw_revision() {
            NO_REVISION => None,
            revision => Some(Revision(revision)),
        }
    }

    /// The event's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let mut id = [0; 16];
        id.copy_from_slice(&self.bytes[ID..TIME]);
        Uuid::from_bytes(id)
    }

    /// When the event happened, by its producer.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        (self.flags() & TIME_IS_PRESENT != 0).then(|| Timestamp(read_i64(self.bytes, TIME)))
    }

    /// The name of the event's stream; `None` without a stream.
    #[must_use]
    pub fn stream(&self) -> Option<&'a str> {
        (self.stream_len != 0).then(|| &self.names[..self.stream_len])
    }

    /// The name of the event's type.
    #[must_use]
    pub fn event_type(&self) -> &'a str {
        &self.names[self.stream_len..self.stream_len + self.type_len]
    }

    /// The event's tags, in the order given.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.tags_text().split(TAG_SEPARATOR).filter(|tag| !tag.is_empty())
    }

    /// Whether the event has a tag.
    #[must_use]
    pub fn has_tag(&self, tag: &Tag) -> bool {
        self.tags().any(|found| found == tag.as_str())
    }

    /// The event's metadata.
    #[must_use]
    pub fn metadata(&self) -> Payload<'a> {
        let start = RECORD_HEADER_BYTES + self.names.len();
        self.payload(&self.bytes[start..start + self.metadata_len], METADATA_IS_JSON)
    }

    /// The event's data.
    #[must_use]
    pub fn data(&self) -> Payload<'a> {
        let start = RECORD_HEADER_BYTES + self.names.len() + self.metadata_len;
        self.payload(&self.bytes[start..], DATA_IS_JSON)
    }

    /// The record's bytes, header included, without the padding.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Everything after the header: names, metadata and data.
    pub(super) fn body(&self) -> &'a [u8] {
        &self.bytes[RECORD_HEADER_BYTES..]
    }

    fn tags_text(&self) -> &'a str {
        &self.names[self.stream_len + self.type_len..]
    }

    fn payload(&self, bytes: &'a [u8], json_flag: u16) -> Payload<'a> {
        if self.flags() & json_flag != 0 { Payload::json(bytes) } else { Payload::binary(bytes) }
    }

    fn crc(&self) -> u32 {
        read_u32(self.bytes, CRC)
    }

    fn flags(&self) -> u16 {
        read_u16(self.bytes, FLAGS)
    }

    fn raw_revision(&self) -> u64 {
        read_u64(self.bytes, REVISION)
    }
}

/// Appends the record of an event, still without a place, to `out`. The caller has checked the limits.
pub fn encode_record(event: &Event, id: Uuid, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + RECORD_HEADER_BYTES, 0);
    let stream = event.stream.as_ref().map_or("", |stream| stream.as_str());
    out.extend_from_slice(stream.as_bytes());
    out.extend_from_slice(event.event_type.as_str().as_bytes());
    let tags_start = out.len();
    for (ordinal, tag) in event.tags.iter().enumerate() {
        if ordinal > 0 {
            out.push(TAG_SEPARATOR as u8);
        }
        out.extend_from_slice(tag.as_str().as_bytes());
    }
    let tags_len = out.len() - tags_start;
    out.extend_from_slice(&event.metadata.bytes);
    out.extend_from_slice(&event.data.bytes);
    let len = out.len() - start;
    out.resize(start + padded(len), 0);

    let record = &mut out[start..];
    let flag = |is_set: bool, flag: u16| if is_set { flag } else { 0 };
    let flags = flag(event.time.is_some(), TIME_IS_PRESENT)
        | flag(event.data.is_json && !event.data.bytes.is_empty(), DATA_IS_JSON)
        | flag(event.metadata.is_json && !event.metadata.bytes.is_empty(), METADATA_IS_JSON);
    write_u32(record, LEN, narrow(len));
    write_u16(record, FLAGS, flags);
    write_u16(record, TAGS_LEN, narrow(tags_len));
    record[ID..TIME].copy_from_slice(id.as_bytes());
    write_i64(record, TIME, event.time.map_or(0, |time| time.0));
    write_u16(record, STREAM_LEN, narrow(stream.len()));
    write_u16(record, TYPE_LEN, narrow(event.event_type.as_str().len()));
    write_u32(record, METADATA_LEN, narrow(event.metadata.bytes.len()));
    let crc = crc32fast::hash(&record[COVERED..len]);
    write_u32(record, CRC, crc);
}

/// Gives the record at the head of `record`, encoded here, its place: a revision ([`NO_REVISION`] without a stream) and
/// a position. Returns the bytes it takes with its padding.
pub fn place_record(record: &mut [u8], revision: u64, position: Position) -> usize {
    let place_crc = carry_on(read_u32(record, CRC), revision, position);
    write_u32(record, PLACE_CRC, place_crc);
    write_u64(record, REVISION, revision);
    padded(read_u32(record, LEN) as usize)
}

/// The crc of the covered bytes, carried on over revision and position.
fn carry_on(crc: u32, revision: u64, position: Position) -> u32 {
    let mut place = [0; 16];
    write_u64(&mut place, 0, revision);
    write_u64(&mut place, 8, position.0);
    let mut hasher = crc32fast::Hasher::new_with_initial(crc);
    hasher.update(&place);
    hasher.finalize()
}

/// A length that the limits keep within its field.
fn narrow<N: TryFrom<usize>>(length: usize) -> N {
    N::try_from(length).unwrap_or_else(|_| unreachable!("{length} is kept within its field by the limits"))
}

#[cfg(test)]
#[path = "record_test.rs"]
mod tests;
