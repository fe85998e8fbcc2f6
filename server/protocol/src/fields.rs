//! Numbers, texts and ids in the body of a frame: little-endian, one after another, nothing aligned.
//!
//! ```text
//!  u8 u16 u32 u64 i64   that many bits, little-endian
//!  bool                 a u8, 0 or 1
//!  uuid                 16 bytes, in the order they are printed in
//!  text16               u16 length in bytes, then UTF-8
//!  text32               u32 length in bytes, then UTF-8
//! ```

use gesta_model::{Position, Uuid};
use std::ops::Range;
use thiserror::Error;

/// Why the body of a frame is not what its kind says.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldError {
    /// It ends inside a field.
    #[error("the frame ends inside its field `{field}`")]
    CutOff {
        /// The field.
        field: &'static str,
    },
    /// A field holds what it may not.
    #[error("the field `{field}` holds {what}")]
    NotAllowed {
        /// The field.
        field: &'static str,
        /// What it holds.
        what: String,
    },
    /// A name, query or number that the protocol can say and no store takes. The frame is one: its request is refused and
    /// the connection goes on.
    #[error("{field}: {what}")]
    Unacceptable {
        /// The field.
        field: &'static str,
        /// Why it is not taken.
        what: String,
    },
    /// Bytes follow the last field.
    #[error("{bytes} bytes follow the last field of the frame")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// The kind of the frame is not one that this end is sent.
    #[error("frames of kind {kind:#04x} are not sent this way in this version")]
    UnknownKind {
        /// The kind.
        kind: u8,
    },
}

impl FieldError {
    /// A field that holds what it may not.
    pub(crate) fn not_allowed(field: &'static str, what: impl ToString) -> Self {
        Self::NotAllowed { field, what: what.to_string() }
    }

    /// A field that holds what no store takes.
    pub(crate) fn unacceptable(field: &'static str, what: impl ToString) -> Self {
        Self::Unacceptable { field, what: what.to_string() }
    }
}

/// How long a list of texts may be. An empty text takes two bytes of a frame and a dozen times that in memory.
const LIST_LENGTH_MAX: usize = 1 << 20;

/// As much of a list as a frame takes.
pub(crate) fn within_list<T>(list: &[T]) -> &[T] {
    &list[..list.len().min(LIST_LENGTH_MAX)]
}

/// Takes fields off the head of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldReader<'a> {
    rest: &'a [u8],
}

macro_rules! number {
    ($name:ident, $number:ty) => {
        pub(crate) fn $name(&mut self, field: &'static str) -> Result<$number, FieldError> {
            const BYTES: usize = size_of::<$number>();
            let (number, rest) = self.rest.split_first_chunk::<BYTES>().ok_or(FieldError::CutOff { field })?;
            self.rest = rest;
            Ok(<$number>::from_le_bytes(*number))
        }
    };
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    number!(u8, u8);
    number!(u16, u16);
    number!(u32, u32);
    number!(u64, u64);
    number!(i64, i64);

    pub(crate) fn bool(&mut self, field: &'static str) -> Result<bool, FieldError> {
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(FieldError::not_allowed(field, other)),
        }
    }

    /// Positions, half-open.
    pub(crate) fn positions(&mut self, field: &'static str) -> Result<Range<Position>, FieldError> {
        let (start, end) = (self.u64(field)?, self.u64(field)?);
        if start > end {
            return Err(FieldError::not_allowed(field, format!("positions from {start} up to {end}")));
        }
        Ok(Position(start)..Position(end))
    }

    /// The length of a list whose parts take more room in memory than in the frame.
    pub(crate) fn list_length(&mut self, field: &'static str) -> Result<u32, FieldError> {
        match self.u32(field)? {
            length if length as usize > LIST_LENGTH_MAX => Err(FieldError::not_allowed(field, length)),
            length => Ok(length),
        }
    }

    pub(crate) fn uuid(&mut self, field: &'static str) -> Result<Uuid, FieldError> {
        Ok(Uuid::from_bytes(*self.chunk(field)?))
    }

    pub(crate) fn chunk<const N: usize>(&mut self, field: &'static str) -> Result<&'a [u8; N], FieldError> {
        let (chunk, rest) = self.rest.split_first_chunk().ok_or(FieldError::CutOff { field })?;
        self.rest = rest;
        Ok(chunk)
    }

    pub(crate) fn bytes(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], FieldError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(FieldError::CutOff { field })?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn text16(&mut self, field: &'static str) -> Result<&'a str, FieldError> {
        let length = self.u16(field)?;
        self.text(field, usize::from(length))
    }

    pub(crate) fn text32(&mut self, field: &'static str) -> Result<&'a str, FieldError> {
        let length = self.u32(field)?;
        self.text(field, length as usize)
    }

    fn text(&mut self, field: &'static str, length: usize) -> Result<&'a str, FieldError> {
        let bytes = self.bytes(field, length)?;
        str::from_utf8(bytes).map_err(|_| FieldError::not_allowed(field, "bytes that are not UTF-8"))
    }

    /// Everything that is left, taken off.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The value, if no bytes are left.
    pub(crate) fn end<T>(self, value: T) -> Result<T, FieldError> {
        if self.rest.is_empty() { Ok(value) } else { Err(FieldError::TooLong { bytes: self.rest.len() }) }
    }
}

/// Puts fields to the end of a body.
pub(crate) trait FieldWriter {
    fn put(&mut self, bytes: &[u8]);

    fn put_u8(&mut self, number: u8) {
        self.put(&[number]);
    }

    fn put_bool(&mut self, value: bool) {
        self.put_u8(u8::from(value));
    }

    fn put_u16(&mut self, number: u16) {
        self.put(&number.to_le_bytes());
    }

    fn put_u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    fn put_u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    fn put_i64(&mut self, number: i64) {
        self.put(&number.to_le_bytes());
    }

    fn put_uuid(&mut self, id: Uuid) {
        self.put(id.as_bytes());
    }

    /// A text of at most 65,535 bytes; a longer one is cut at a character.
    fn put_text16(&mut self, text: &str) {
        let text = &text[..text.floor_char_boundary(usize::from(u16::MAX))];
        self.put_u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
        self.put(text.as_bytes());
    }

    /// A text of less than 4 GiB.
    fn put_text32(&mut self, text: &str) {
        self.put_u32(u32::try_from(text.len()).expect("no text of a frame is that long"));
        self.put(text.as_bytes());
    }

    /// The number of things that follow.
    fn put_count(&mut self, count: usize) {
        self.put_u32(u32::try_from(count).expect("no list of a frame is that long"));
    }
}

impl FieldWriter for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}
