//! What can be wrong with a name, and the one check that stream names, event types and tags share.

use thiserror::Error;

/// A name that cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// The name has no characters.
    #[error("{what} is empty: give it at least one character")]
    Empty {
        /// Which kind of name.
        what: &'static str,
    },
    /// The name is too long.
    #[error("{what} is {bytes} bytes long, at most {max} are allowed: shorten it or move the detail into the data")]
    TooLong {
        /// Which kind of name.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        max: usize,
    },
    /// A tag is not `key:value`, with both sides present.
    #[error("tag {tag:?} is not key:value: write both sides, separated by a colon")]
    NotKeyValue {
        /// The text that was given.
        tag: String,
    },
    /// A category holds a `-`, so no stream is of it.
    #[error("category {category:?} holds a `-`: write only what stands before the first `-` of the stream names")]
    NotACategory {
        /// The text that was given.
        category: String,
    },
    /// A tag holds a control character, such as a line break.
    #[error("tag {tag:?} holds a control character: remove it")]
    ControlCharacter {
        /// The text that was given.
        tag: String,
    },
}

/// Checks that a name is neither empty nor longer than `max` bytes.
pub(crate) fn check_length(what: &'static str, text: &str, max: usize) -> Result<(), NameError> {
    match text.len() {
        0 => Err(NameError::Empty { what }),
        bytes if bytes > max => Err(NameError::TooLong { what, bytes, max }),
        _ => Ok(()),
    }
}
