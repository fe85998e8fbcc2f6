//! The body of a batch: its checksum, and the walk over its requests and records.
//!
//! The checksum has two levels, so that the bytes of an event are read once and an event can also be verified alone:
//! each record's own crc covers its content, and `body_crc` covers, in order, every request header and the first sixteen
//! bytes (crc, place_crc, revision) of every record. The body of a batch without events is covered as it stands.

use super::batch::{BatchHeader, BatchKind};
use super::record::{BINDING_BYTES, Record, RecordError};
use super::request::{REQUEST_HEADER_BYTES, RequestHeader};
use crate::Position;
use thiserror::Error;

/// Why a body is not the one its header speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// Fewer bytes than the header says, or requests that do not fill them.
    #[error("batch body does not hold what its header says")]
    Structure,
    /// The checksum of the whole does not match.
    #[error("batch body checksum does not match")]
    Crc,
    /// One record is not true.
    #[error("event at position {position}: {error}")]
    Record {
        /// Which event.
        position: Position,
        /// What is wrong with it.
        error: RecordError,
    },
}

/// Checks every byte of a body against its header. Nothing of a batch is shown before this has passed.
pub fn verify_body(header: &BatchHeader, body: &[u8]) -> Result<(), BodyError> {
    if body.len() != header.body_bytes as usize {
        return Err(BodyError::Structure);
    }
    let crc = if header.kind == BatchKind::Events {
        walk(body, header.base, header.count, Record::verify_crc)?
    } else {
        plain_body_crc(body)
    };
    if crc == header.body_crc { Ok(()) } else { Err(BodyError::Crc) }
}

/// Checks that each record of a verified body stands in the place it was written for.
pub fn verify_places(header: &BatchHeader, body: &[u8]) -> Result<(), BodyError> {
    for record in Records::new(header, body) {
        let record = record?;
        record.verify_place().map_err(|error| BodyError::Record { position: record.position(), error })?;
    }
    Ok(())
}

/// The checksum of a body that was put together here, of `count` placed records.
pub fn body_crc(body: &[u8], base: Position, count: u32) -> Result<u32, BodyError> {
    walk(body, base, count, Record::measure)
}

/// The checksum of a body without events.
#[must_use]
pub fn plain_body_crc(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}

/// Walks over all records of a body, asking `take` of each how many bytes it takes, and returns the body's checksum.
fn walk(
    body: &[u8],
    base: Position,
    count: u32,
    take: impl Fn(&[u8]) -> Result<usize, RecordError>,
) -> Result<u32, BodyError> {
    let mut fold = BindingFold::new();
    let mut position = base;
    let mut remaining = count;
    let mut rest = body;
    while !rest.is_empty() {
        let (header, mut records, after) = split_request(rest)?;
        fold.add(&rest[..REQUEST_HEADER_BYTES]);
        remaining = remaining.checked_sub(header.record_count).ok_or(BodyError::Structure)?;
        for _ in 0..header.record_count {
            let taken = take(records).map_err(|error| BodyError::Record { position, error })?;
            fold.add(&records[..BINDING_BYTES]);
            records = &records[taken..];
            position = position.plus(1);
        }
        if !records.is_empty() {
            return Err(BodyError::Structure);
        }
        rest = after;
    }
    if remaining == 0 { Ok(fold.finish()) } else { Err(BodyError::Structure) }
}

/// The header of the request at the head of `rest`, its records, and what follows it.
fn split_request(rest: &[u8]) -> Result<(RequestHeader, &[u8], &[u8]), BodyError> {
    let header = rest.first_chunk::<REQUEST_HEADER_BYTES>().ok_or(BodyError::Structure)?;
    let header = RequestHeader::decode(header);
    let bytes = header.bytes as usize;
    if header.record_count == 0 || bytes < REQUEST_HEADER_BYTES || !bytes.is_multiple_of(8) || bytes > rest.len() {
        return Err(BodyError::Structure);
    }
    let (request, after) = rest.split_at(bytes);
    Ok((header, &request[REQUEST_HEADER_BYTES..], after))
}

/// A place in the walk over the records of a verified body, which does not borrow the body.
#[derive(Clone, Copy, Debug)]
pub struct RecordWalk {
    offset: usize,
    in_request: u32,
    position: Position,
}

impl RecordWalk {
    /// Before the first record of the batch with this header.
    #[must_use]
    pub fn new(header: &BatchHeader) -> Self {
        let offset = if header.kind == BatchKind::Events { 0 } else { usize::MAX };
        Self { offset, in_request: 0, position: header.base }
    }

    /// The next record of `body`, the same one at each call; `None` after the last.
    pub fn next<'a>(&mut self, body: &'a [u8]) -> Option<Result<Record<'a>, BodyError>> {
        if self.offset >= body.len() {
            return None;
        }
        let record = self.decode_next(body);
        if record.is_err() {
            self.offset = usize::MAX;
        }
        Some(record)
    }

    fn decode_next<'a>(&mut self, body: &'a [u8]) -> Result<Record<'a>, BodyError> {
        while self.in_request == 0 {
            let header = body
                .get(self.offset..)
                .unwrap_or(&[])
                .first_chunk::<REQUEST_HEADER_BYTES>()
                .ok_or(BodyError::Structure)?;
            self.in_request = RequestHeader::decode(header).record_count;
            self.offset += REQUEST_HEADER_BYTES;
        }
        let position = self.position;
        let (record, taken) = Record::decode(body.get(self.offset..).unwrap_or(&[]), position)
            .map_err(|error| BodyError::Record { position, error })?;
        self.offset += taken;
        self.in_request -= 1;
        self.position = position.plus(1);
        Ok(record)
    }
}

/// The records of a verified body, in order.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    walk: RecordWalk,
    body: &'a [u8],
}

impl<'a> Records<'a> {
    /// The records of `body`, the first of which stands at the header's base position.
    #[must_use]
    pub fn new(header: &BatchHeader, body: &'a [u8]) -> Self {
        Self { walk: RecordWalk::new(header), body }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BodyError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next(self.body)
    }
}

/// Gathers small pieces and checksums them a block at a time, which is several times faster than piece by piece.
struct BindingFold {
    hasher: crc32fast::Hasher,
    block: [u8; Self::BLOCK_BYTES],
    used: usize,
}

impl BindingFold {
    const BLOCK_BYTES: usize = 1024;

    fn new() -> Self {
        Self { hasher: crc32fast::Hasher::new(), block: [0; Self::BLOCK_BYTES], used: 0 }
    }

    fn add(&mut self, piece: &[u8]) {
        if self.used + piece.len() > Self::BLOCK_BYTES {
            self.hasher.update(&self.block[..self.used]);
            self.used = 0;
        }
        self.block[self.used..self.used + piece.len()].copy_from_slice(piece);
        self.used += piece.len();
    }

    fn finish(mut self) -> u32 {
        self.hasher.update(&self.block[..self.used]);
        self.hasher.finalize()
    }
}

#[cfg(test)]
#[path = "body_test.rs"]
mod tests;
