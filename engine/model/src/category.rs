//! The category of a stream: what its name says before the first `-`.

use crate::limits::STREAM_NAME_BYTES_MAX;
use crate::name::{NameError, check_length};
use std::fmt;

/// What stands before the first `-` of a stream's name: `order` for `order-17`.
///
/// A name without `-` is its own category, and a name that begins with `-` has none; so a category is never empty and
/// holds no `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(Box<str>);

impl Category {
    /// Takes `text` as a category, refusing an empty or too long one and one with a `-`.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, NameError> {
        let text = text.into();
        check_length("category", &text, STREAM_NAME_BYTES_MAX)?;
        if text.contains(SEPARATOR) {
            return Err(NameError::NotACategory { category: text.into() });
        }
        Ok(Self(text))
    }

    /// The category of the stream with this name.
    #[must_use]
    pub fn of(stream: &str) -> Option<&str> {
        let category = stream.split_once(SEPARATOR).map_or(stream, |(before, _)| before);
        (!category.is_empty()).then_some(category)
    }

    /// The category as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

const SEPARATOR: char = '-';

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StreamName;

    #[test]
    fn a_category_is_what_stands_before_the_first_hyphen() {
        let streams = [
            ("order-17", Some("order")),
            ("order-17-b", Some("order")),
            ("order-", Some("order")),
            ("order", Some("order")),
            ("-17", None),
            ("-", None),
        ];
        for (stream, category) in streams {
            assert_eq!(Category::of(stream), category, "{stream}");
            assert_eq!(StreamName::new(stream).unwrap().category(), category, "{stream}");
            assert!(category.is_none_or(|category| Category::new(category).is_ok()));
        }
    }

    #[test]
    fn a_text_that_no_stream_has_as_its_category_is_refused() {
        assert_eq!(Category::new("order-17"), Err(NameError::NotACategory { category: "order-17".to_owned() }));
        assert_eq!(Category::new(""), Err(NameError::Empty { what: "category" }));
        assert!(Category::new("c".repeat(STREAM_NAME_BYTES_MAX)).is_ok());
        assert!(Category::new("c".repeat(STREAM_NAME_BYTES_MAX + 1)).is_err());
    }
}
