//! A tag: `key:value` on an event, for queries across streams.

use crate::limits::TAG_BYTES_MAX;
use crate::name::{NameError, check_length};
use std::fmt;

/// `key:value`, at most 255 bytes of UTF-8 without control characters; both sides are present.
///
/// The key ends at the first colon, so a value may hold colons.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// Takes `text` as a tag, refusing what is not `key:value`.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        check_tag(&text)?;
        Ok(Self(text))
    }

    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What every tag must be; the decoder asks it of tags that came from elsewhere.
pub(crate) fn check_tag(text: &str) -> Result<(), NameError> {
    check_length("tag", text, TAG_BYTES_MAX)?;
    if text.chars().any(char::is_control) {
        return Err(NameError::ControlCharacter { tag: text.to_owned() });
    }
    match text.split_once(':') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok(()),
        _ => Err(NameError::NotKeyValue { tag: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_a_key_and_a_value() {
        assert!(Tag::new("order:17").is_ok());
        assert!(Tag::new("time:12:30").is_ok());
        for text in ["", "order", ":17", "order:", "a:b\nc:d", "a:\u{7f}"] {
            assert!(Tag::new(text).is_err(), "{text:?}");
        }
        assert!(Tag::new(format!("k:{}", "v".repeat(253))).is_ok());
        assert!(Tag::new(format!("k:{}", "v".repeat(254))).is_err());
    }
}
