//! Batches out of bytes that are not trusted: one after another, or looked for.

use super::origin::Origin;
use crate::disk::DiskFile;
use crate::sabotage::{Bug, has};
use gesta_model::codec::{BatchError, BatchHeader, HEADERS_BYTES, PORTABLE_BYTES, verify_body};
use std::fmt;
use std::io;
use std::ops::Deref;

/// Bytes at offsets, wherever they come from.
pub(crate) trait Bytes {
    /// How many bytes there are.
    fn length(&self) -> u64;
    /// `length` bytes from `offset`.
    fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]>;
}

/// Bytes that can be read in place.
impl<V: Deref<Target = [u8]>> Bytes for V {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let range = usize::try_from(offset).ok().and_then(|start| self.get(start..start.checked_add(length)?));
        range.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Bytes of a file that are read into memory a piece at a time: a failing disk gives an error here, and not a signal.
pub(crate) struct Window<'f, F> {
    file: &'f F,
    length: u64,
    /// How much is read at a time, where less is asked for.
    piece_bytes: usize,
    buffer: Vec<u8>,
    start: u64,
    read_bytes: u64,
}

impl<'f, F: DiskFile> Window<'f, F> {
    const BYTES: usize = 1 << 20;

    pub(crate) fn new(file: &'f F) -> io::Result<Self> {
        Self::of_pieces(file, Self::BYTES, Vec::new())
    }

    /// A window that reads no more than `piece_bytes` at a time, where no more is asked for, into memory that it is lent.
    pub(crate) fn of_pieces(file: &'f F, piece_bytes: usize, mut buffer: Vec<u8>) -> io::Result<Self> {
        buffer.clear();
        let piece_bytes = piece_bytes.min(Self::BYTES);
        Ok(Self { file, length: file.len()?, piece_bytes, buffer, start: 0, read_bytes: 0 })
    }

    /// The memory, and how many bytes the disk was asked for.
    pub(crate) fn into_buffer(self) -> (Vec<u8>, u64) {
        (self.buffer, self.read_bytes)
    }

    /// Reads `length` bytes from the window's start on.
    fn fill(&mut self, length: usize) -> io::Result<()> {
        self.buffer.resize(length, 0);
        self.read_bytes += length as u64;
        self.file.read_at(&mut self.buffer, self.start).inspect_err(|_| self.buffer.clear())
    }
}

impl<F: DiskFile> Bytes for Window<'_, F> {
    fn length(&self) -> u64 {
        self.length
    }

    fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = offset.checked_add(length as u64).filter(|end| *end <= self.length);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        if offset < self.start || end > self.start + self.buffer.len() as u64 {
            let rest = usize::try_from(self.length - offset).unwrap_or(usize::MAX);
            self.start = offset;
            // Where the disk cannot read the whole window, what was asked for may still be whole.
            self.fill(length.max(self.piece_bytes).min(rest)).or_else(|_| self.fill(length))?;
        }
        let from = usize::try_from(offset - self.start).expect("the window is in memory");
        Ok(&self.buffer[from..from + length])
    }
}

/// A batch whose headers are true.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) offset: u64,
    pub(crate) header: BatchHeader,
    /// The check of its envelope, which the next batch repeats.
    pub(crate) check: u64,
}

impl Found {
    /// The offset after the batch.
    pub(crate) fn end_offset(&self) -> u64 {
        self.offset + self.header.bytes() as u64
    }
}

/// Why there is no batch at an offset.
#[derive(Debug)]
pub(crate) enum NotABatch {
    /// Only zeros stand there.
    Unwritten,
    /// Something else stands there, or the disk cannot read it.
    Invalid(String),
}

impl fmt::Display for NotABatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritten => formatter.write_str("the batch was never written"),
            Self::Invalid(what) => formatter.write_str(what),
        }
    }
}

/// What a look ahead saw of a stretch of bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ahead {
    /// The first batch that was asked for.
    pub(crate) found: Option<Found>,
    /// The end of the last eight bytes that are not zero, before the batch that was found.
    pub(crate) nonzero_end: Option<u64>,
    /// Some of the bytes could not be read.
    pub(crate) unreadable: bool,
}

/// How many bytes are looked through at once.
const PIECE: u64 = 64 << 10;
/// What a disk reads whole or not at all.
const PAGE: u64 = 4096;

/// Batches of one segment's bytes.
pub(crate) struct BatchSource<'k, B> {
    pub(crate) bytes: B,
    origin: &'k Origin,
}

impl<'k, B: Bytes> BatchSource<'k, B> {
    pub(crate) fn new(bytes: B, origin: &'k Origin) -> Self {
        Self { bytes, origin }
    }

    /// The batch whose headers stand at `offset`; its body lies within the bytes but is not verified.
    pub(crate) fn batch_at(&mut self, offset: u64) -> Result<Found, NotABatch> {
        let length = self.bytes.length();
        if length.saturating_sub(offset) < HEADERS_BYTES as u64 {
            return Err(NotABatch::Unwritten);
        }
        let invalid = |error: io::Error| NotABatch::Invalid(format!("cannot be read: {error}"));
        let headers = self.bytes.bytes(offset, HEADERS_BYTES).map_err(invalid)?;
        let headers = headers.first_chunk().expect("as many bytes as asked for");
        let (header, check) = BatchHeader::decode(headers, &self.origin.key).map_err(|error| match error {
            BatchError::Unwritten => NotABatch::Unwritten,
            error => NotABatch::Invalid(error.to_string()),
        })?;
        if self.origin.is_void(&header) {
            let what = "a batch stands here that a power cut took and later events replaced: it is stale";
            return Err(NotABatch::Invalid(what.to_owned()));
        }
        let found = Found { offset, header, check };
        if found.end_offset() > length {
            return Err(NotABatch::Invalid("the batch reaches beyond the end of the file".to_owned()));
        }
        Ok(found)
    }

    /// The portable header of a batch, as bytes.
    pub(crate) fn portable_header(&mut self, found: &Found) -> Result<[u8; PORTABLE_BYTES], NotABatch> {
        let headers = self.bytes.bytes(found.offset, HEADERS_BYTES);
        let headers = headers.map_err(|error| NotABatch::Invalid(format!("cannot be read: {error}")))?;
        Ok(BatchHeader::portable(headers.first_chunk().expect("as many bytes as asked for")))
    }

    /// The body of a batch, verified.
    pub(crate) fn verified_body(&mut self, found: &Found) -> Result<&[u8], NotABatch> {
        let offset = found.offset + HEADERS_BYTES as u64;
        let body = self.bytes.bytes(offset, found.header.body_bytes as usize);
        let body = body.map_err(|error| NotABatch::Invalid(format!("cannot be read: {error}")))?;
        match verify_body(&found.header, body) {
            Err(error) if !has(Bug::NoBodyCheck) => Err(NotABatch::Invalid(error.to_string())),
            _ => Ok(body),
        }
    }

    /// How much to look through from `at` on, and how many bytes to read for that: a piece, with the headers that may begin at its
    /// end; where the disk cannot read all of it, what is left of the page. `None` where it cannot read that either.
    fn readable_from(&mut self, at: u64, to: u64) -> Option<(u64, usize)> {
        let (page, headers) = (PAGE - at % PAGE, HEADERS_BYTES as u64);
        let mut reaches = [(PIECE, headers), (page, headers), (page, 0)].into_iter();
        reaches.find_map(|(piece, beyond)| {
            let piece = piece.min(to - at);
            let reach = usize::try_from((piece + beyond).min(self.bytes.length() - at)).expect("a piece is small");
            self.bytes.bytes(at, reach).is_ok().then_some((piece, reach))
        })
    }

    /// Looks from `from` up to `to` for a batch whose headers are true and wanted; stops at the first.
    pub(crate) fn look_ahead(&mut self, from: u64, to: u64, wanted: impl Fn(&Found) -> bool) -> Ahead {
        let to = to.min(self.bytes.length());
        let mut ahead = Ahead::default();
        let mut at = from.next_multiple_of(8);
        while at < to {
            let readable = self.readable_from(at, to);
            let Some((piece, Ok(bytes))) = readable.map(|(piece, reach)| (piece, self.bytes.bytes(at, reach))) else {
                ahead.unreadable = true;
                at = (at + 1).next_multiple_of(PAGE);
                continue;
            };
            if is_zero(&bytes[..bytes.len().min(usize::try_from(piece).expect("a piece is small"))]) {
                at += piece;
                continue;
            }
            if let Some(found) = scan_piece(bytes, at, piece, self.origin, &mut ahead.nonzero_end, &wanted) {
                ahead.found = Some(found);
                return ahead;
            }
            at += piece;
        }
        ahead
    }
}

/// Whether bytes are all zero, as most are that are looked at: the room that a segment has ahead.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let (lines, rest) = bytes.as_chunks::<64>();
    lines.iter().all(|line| *line == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}

/// Tries every eighth byte of a piece as the beginning of a batch.
fn scan_piece(
    bytes: &[u8],
    start: u64,
    piece: u64,
    origin: &Origin,
    nonzero_end: &mut Option<u64>,
    wanted: impl Fn(&Found) -> bool,
) -> Option<Found> {
    let piece = usize::try_from(piece).expect("a piece is small").min(bytes.len());
    for at in (0..piece).step_by(8) {
        let word = &bytes[at..piece.min(at + 8)];
        if word.iter().all(|byte| *byte == 0) {
            continue;
        }
        if let Some(headers) = bytes[at..].first_chunk()
            && let Ok((header, check)) = BatchHeader::decode(headers, &origin.key)
            && !origin.is_void(&header)
        {
            let found = Found { offset: start + at as u64, header, check };
            if wanted(&found) {
                return Some(found);
            }
        }
        *nonzero_end = Some(start + (at + word.len()) as u64);
    }
    None
}
