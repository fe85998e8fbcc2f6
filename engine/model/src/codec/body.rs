//! The body of a batch: its checksum, and the walk over its requests and records.
//!
//! `body_crc` covers the body as it stands, in one pass: checksums run several times faster over a long piece than over
//! many short ones, and a replay checks every batch. Each record carries checksums of its own as well, so that an event
//! which is reached alone is verified alone, and so that its encoder's word holds from end to end.

use super::batch::{BatchHeader, BatchKind};
use super::record::{Record, RecordError};
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

/// The checksum of a body: CRC-32 (ISO-HDLC) of its bytes.
#[must_use]
pub fn body_crc(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}

/// Checks every byte of a body against its header. Nothing of a batch is shown before this has passed.
pub fn verify_body(header: &BatchHeader, body: &[u8]) -> Result<(), BodyError> {
    if body.len() != header.body_bytes as usize {
        return Err(BodyError::Structure);
    }
    if body_crc(body) == header.body_crc { Ok(()) } else { Err(BodyError::Crc) }
}

/// Checks everything that a verified body of events says twice: that its requests and records fill it, and each record's
/// own checksums, place, padding and names.
pub fn verify_records(header: &BatchHeader, body: &[u8]) -> Result<(), BodyError> {
    let mut position = header.base;
    let mut rest = body;
    while !rest.is_empty() {
        let (request, mut records, after) = split_request(rest)?;
        for _ in 0..request.record_count {
            let at = position;
            let failed = |error| BodyError::Record { position: at, error };
            let (record, taken) = Record::decode(records, position).map_err(failed)?;
            record.verify().and_then(|()| record.verify_content()).map_err(failed)?;
            if records[record.bytes().len()..taken].iter().any(|byte| *byte != 0) {
                return Err(failed(RecordError::Padding));
            }
            records = &records[taken..];
            position = position.plus(1);
        }
        if !records.is_empty() {
            return Err(BodyError::Structure);
        }
        rest = after;
    }
    if position == header.end() { Ok(()) } else { Err(BodyError::Structure) }
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

    /// Before the first record of a body of events that begin at a position.
    #[must_use]
    pub fn from(base: Position) -> Self {
        Self { offset: 0, in_request: 0, position: base }
    }

    /// The position of the next record, if there is one.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next record of `body`, the same one at each call; `None` after the last.
    #[inline(always)]
    pub fn next<'a>(&mut self, body: &'a [u8]) -> Option<Result<Record<'a>, BodyError>> {
        self.step(|walk| walk.decode_next(body), body)
    }

    /// The next record of `body` and where it lies; `None` after the last.
    pub fn next_place<'a>(&mut self, body: &'a [u8]) -> Option<Result<RecordPlace<'a>, BodyError>> {
        let take = |walk: &mut Self| {
            let request = walk.enter_request(body)?;
            let offset = walk.offset;
            Ok(RecordPlace { record: walk.decode_next(body)?, offset, request })
        };
        self.step(take, body)
    }

    /// Passes by the next record of `body` without reading it, and tells where it begins; `None` after the last.
    pub fn skip(&mut self, body: &[u8]) -> Option<Result<usize, BodyError>> {
        self.step(|walk| walk.skip_next(body), body)
    }

    #[inline(always)]
    fn step<T>(
        &mut self,
        take: impl FnOnce(&mut Self) -> Result<T, BodyError>,
        body: &[u8],
    ) -> Option<Result<T, BodyError>> {
        if self.offset >= body.len() {
            return None;
        }
        let taken = take(self);
        if taken.is_err() {
            self.offset = usize::MAX;
        }
        Some(taken)
    }

    #[inline(always)]
    fn decode_next<'a>(&mut self, body: &'a [u8]) -> Result<Record<'a>, BodyError> {
        if self.in_request == 0 {
            self.enter_request(body)?;
        }
        let position = self.position;
        let (record, taken) = Record::decode(body.get(self.offset..).unwrap_or(&[]), position)
            .map_err(|error| BodyError::Record { position, error })?;
        self.pass(taken);
        Ok(record)
    }

    fn skip_next(&mut self, body: &[u8]) -> Result<usize, BodyError> {
        self.enter_request(body)?;
        let (position, offset) = (self.position, self.offset);
        let taken = Record::measure(body.get(self.offset..).unwrap_or(&[]))
            .map_err(|error| BodyError::Record { position, error })?;
        self.pass(taken);
        Ok(offset)
    }

    /// Enters the next request when the last one is done, and returns its header then.
    fn enter_request(&mut self, body: &[u8]) -> Result<Option<RequestHeader>, BodyError> {
        let mut entered = None;
        while self.in_request == 0 {
            let rest = body.get(self.offset..).unwrap_or(&[]);
            let header = RequestHeader::decode(rest.first_chunk().ok_or(BodyError::Structure)?);
            self.in_request = header.record_count;
            self.offset += REQUEST_HEADER_BYTES;
            entered = Some(header);
        }
        Ok(entered)
    }

    fn pass(&mut self, taken: usize) {
        self.offset += taken;
        self.in_request -= 1;
        self.position = self.position.plus(1);
    }
}

/// A record, and where it lies in its body.
#[derive(Clone, Copy, Debug)]
pub struct RecordPlace<'a> {
    /// The record.
    pub record: Record<'a>,
    /// Where in the body it begins.
    pub offset: usize,
    /// The header of its request, when it is the first of one.
    pub request: Option<RequestHeader>,
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

#[cfg(test)]
#[path = "body_test.rs"]
mod tests;
