//! The head of every frame.
//!
//! ```text
//!  0  body_bytes u32   bytes that follow the header
//!  4  kind u8          what the body is
//!  5  zero u8, u16
//!  8  id u64           the request that the frame belongs to, chosen by the client; 0 for the connection itself
//! 16  body
//! ```

use thiserror::Error;

const BODY_BYTES: usize = 0;
const KIND: usize = BODY_BYTES + 4;
const ZERO: usize = KIND + 1;
const ID: usize = ZERO + 3;
/// Bytes of a frame before its body.
pub const FRAME_HEADER_BYTES: usize = ID + 8;
const _: () = assert!(FRAME_HEADER_BYTES == 16);

/// The largest body that a server sends, so the largest that a client has to take: a batch that is as large as batches may
/// be, and what may stand before it in its frame.
pub const ANSWER_BYTES_MAX: u32 = 128 << 20;

/// Why bytes are not the head of a frame that may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The body is longer than this end takes.
    #[error("a frame of {body_bytes} bytes, at most {max} are taken")]
    TooLarge {
        /// What the header says.
        body_bytes: u32,
        /// What is allowed.
        max: u32,
    },
    /// The bytes are a TLS handshake, or the alert of an end that wants one.
    #[error("these are the first bytes of TLS where plain text is spoken: encrypt at both ends or at neither")]
    Tls,
    /// The bytes are an HTTP request or answer.
    #[error("these are the first bytes of HTTP, and here the gesta protocol is spoken: check the port")]
    Http,
    /// Bytes that must be zero are not: no frame of this version.
    #[error("these are not frames of the gesta protocol")]
    NotAFrame,
}

/// What other protocols begin with: HTTP requests, HTTP/2, HTTP answers.
const HTTP: [&[u8; 4]; 10] = [b"GET ", b"HEAD", b"POST", b"PUT ", b"DELE", b"CONN", b"OPTI", b"PATC", b"PRI ", b"HTTP"];

impl FrameError {
    /// What bytes are whose zeros are none, by the four before. Those alone say nothing: any of them can be a length.
    fn of_foreign(bytes: &[u8; FRAME_HEADER_BYTES]) -> Self {
        let [b0, b1, b2, ..] = *bytes;
        // A TLS record: an alert or a handshake, then version 3.x.
        if matches!((b0, b1, b2), (21 | 22, 3, 0..=4)) {
            Self::Tls
        } else if HTTP.iter().any(|first| bytes.starts_with(*first)) {
            Self::Http
        } else {
            Self::NotAFrame
        }
    }
}

/// What stands before the body of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of the body.
    pub body_bytes: u32,
    /// What the body is: a [`Kind`](crate::Kind), if this version knows it.
    pub kind: u8,
    /// The request that the frame belongs to; 0 for the connection itself.
    pub id: u64,
}

impl FrameHeader {
    /// Reads a header; the body may have `body_bytes_max` bytes.
    pub fn decode(bytes: &[u8; FRAME_HEADER_BYTES], body_bytes_max: u32) -> Result<Self, FrameError> {
        let [b0, b1, b2, b3, kind, z0, z1, z2, id @ ..] = *bytes;
        if [z0, z1, z2] != [0; 3] {
            return Err(FrameError::of_foreign(bytes));
        }
        let body_bytes = u32::from_le_bytes([b0, b1, b2, b3]);
        if body_bytes > body_bytes_max {
            return Err(FrameError::TooLarge { body_bytes, max: body_bytes_max });
        }
        Ok(Self { body_bytes, kind, id: u64::from_le_bytes(id) })
    }

    /// Looks at the first bytes of a header before all of it has come, so that whoever speaks another protocol is not
    /// waited for: the alert of a TLS server is shorter than a header.
    pub(crate) fn foretell(bytes: &[u8]) -> Result<(), FrameError> {
        let mut header = [0; FRAME_HEADER_BYTES];
        let count = bytes.len().min(ID);
        header[..count].copy_from_slice(&bytes[..count]);
        Self::decode(&header, u32::MAX).map(|_| ())
    }

    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[BODY_BYTES..KIND].copy_from_slice(&self.body_bytes.to_le_bytes());
        bytes[KIND] = self.kind;
        bytes[ID..].copy_from_slice(&self.id.to_le_bytes());
        bytes
    }
}

/// Adds a frame to `out`, whose body `write` adds.
pub(crate) fn put_frame(out: &mut Vec<u8>, kind: u8, id: u64, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.resize(start + FRAME_HEADER_BYTES, 0);
    write(out);
    finish_frame(out, start, kind, id);
}

/// Writes the header of the frame that begins at `start` and ends with `out`.
pub(crate) fn finish_frame(out: &mut [u8], start: usize, kind: u8, id: u64) {
    let body_bytes = out.len() - start - FRAME_HEADER_BYTES;
    let body_bytes = u32::try_from(body_bytes).expect("no frame is made that large");
    let header = FrameHeader { body_bytes, kind, id }.encode();
    out[start..start + FRAME_HEADER_BYTES].copy_from_slice(&header);
}
