//! Bytes as they come off a connection, cut into frames.

use crate::frame::{FRAME_HEADER_BYTES, FrameError, FrameHeader};

/// One frame, borrowed from the buffer it came into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What the body is.
    pub kind: u8,
    /// The request that it belongs to.
    pub id: u64,
    /// Its body.
    pub body: &'a [u8],
}

/// Gathers bytes until they make a frame.
///
/// Room is made as bytes come: a header that announces a large frame costs its sender the bytes before it costs us the
/// memory.
#[derive(Debug)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
    /// Where the bytes begin that were not handed out.
    start: usize,
    /// Where the bytes end that have come.
    end: usize,
    body_bytes_max: u32,
}

/// How much room is made at once at least.
const ROOM_BYTES: usize = 16 << 10;
/// A buffer that has grown beyond this is given back once it is empty.
const KEPT_BYTES: usize = 1 << 20;

impl FrameBuffer {
    /// A buffer for frames with bodies of at most `body_bytes_max` bytes.
    #[must_use]
    pub fn new(body_bytes_max: u32) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, body_bytes_max }
    }

    /// Changes how large a body may be.
    pub fn set_body_bytes_max(&mut self, body_bytes_max: u32) {
        self.body_bytes_max = body_bytes_max;
    }

    /// Room for the bytes that come next; say with [`FrameBuffer::filled`] how many came.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() > KEPT_BYTES {
                self.bytes = Vec::new();
            }
        }
        let held = self.end - self.start;
        let wanted = self.missing().unwrap_or(ROOM_BYTES).clamp(ROOM_BYTES, held.max(ROOM_BYTES));
        if self.bytes.len() - self.end < wanted {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, held);
            if self.bytes.len() - self.end < wanted {
                self.bytes.resize(held + wanted, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Takes note of `count` bytes that were written to [`FrameBuffer::room`].
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// Adds bytes that have come.
    pub fn extend(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            self.filled(count);
            bytes = &bytes[count..];
        }
    }

    /// The header of the frame that is coming, once it is here.
    pub fn header(&self) -> Result<Option<FrameHeader>, FrameError> {
        let held = &self.bytes[self.start..self.end];
        match held.first_chunk() {
            Some(header) => FrameHeader::decode(header, self.body_bytes_max).map(Some),
            None => FrameHeader::foretell(held).map(|()| None),
        }
    }

    /// The next frame, once all of it is here. After an error there is no telling where the next one would begin.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let Some(FrameHeader { body_bytes, kind, id }) = self.header()? else { return Ok(None) };
        let body_start = self.start + FRAME_HEADER_BYTES;
        let body_end = body_start + body_bytes as usize;
        if body_end > self.end {
            return Ok(None);
        }
        self.start = body_end;
        Ok(Some(Frame { kind, id, body: &self.bytes[body_start..body_end] }))
    }

    /// Bytes that have come and were not handed out.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.end - self.start
    }

    /// How many bytes are missing from the frame that is coming.
    fn missing(&self) -> Option<usize> {
        let header = self.header().ok()??;
        Some((FRAME_HEADER_BYTES + header.body_bytes as usize).saturating_sub(self.end - self.start))
    }
}

#[cfg(test)]
#[path = "frame_buffer_test.rs"]
mod tests;
