//! The data or metadata of an event: opaque bytes, with one bit that says whether they are JSON text.

/// Bytes that the store keeps and never looks into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    is_json: bool,
}

impl<'a> Payload<'a> {
    /// No payload. Empty bytes and no payload are the same thing.
    pub const NONE: Self = Self { bytes: &[], is_json: false };

    /// Bytes of any kind.
    #[must_use]
    pub fn binary(bytes: &'a [u8]) -> Self {
        Self { bytes, is_json: false }
    }

    /// JSON text; that it is well formed is the caller's word.
    #[must_use]
    pub fn json(text: &'a [u8]) -> Self {
        Self { bytes: text, is_json: !text.is_empty() }
    }

    /// The bytes themselves.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes as text; `None` when they are not UTF-8.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        str::from_utf8(self.bytes).ok()
    }

    /// Whether whoever appended the bytes called them JSON.
    #[must_use]
    pub fn is_json(self) -> bool {
        self.is_json
    }

    /// Whether there is no payload.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }
}
