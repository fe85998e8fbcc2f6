//! The name of a store, which is also the name of its directory.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The name of a store: what a client says in its hello.
///
/// Only small letters, digits, `-` and `_`, so that it is the same directory on every file system and never another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreName(String);

/// Bytes of a store's name.
const NAME_BYTES_MAX: usize = 63;

/// A text that is not the name of a store.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{name:?} is not the name of a store: take up to 63 small letters, digits, '-' and '_', the first a letter or digit"
)]
pub struct StoreNameError {
    name: String,
}

impl StoreName {
    /// The store that exists from the start.
    pub const DEFAULT: &str = "default";

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreName {
    type Err = StoreNameError;

    fn from_str(text: &str) -> Result<Self, StoreNameError> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_name = text.len() <= NAME_BYTES_MAX
            && text.bytes().next().is_some_and(is_plain)
            && text.bytes().all(|byte| is_plain(byte) || byte == b'-' || byte == b'_');
        // A refusal repeats what was said: only as much as is needed to recognise it.
        let shown = || text.chars().take(NAME_BYTES_MAX + 1).collect();
        if is_name { Ok(Self(text.to_owned())) } else { Err(StoreNameError { name: shown() }) }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_directories_and_never_paths() {
        for name in ["default", "orders-2026", "0_a", &"a".repeat(63)] {
            assert_eq!(name.parse::<StoreName>().map(|name| name.to_string()), Ok(name.to_owned()));
        }
        for name in ["", ".", "..", "../x", "a/b", "A", "-a", "_a", "a b", "a\0", "ä", "server.lock", &"a".repeat(64)]
        {
            assert!(name.parse::<StoreName>().is_err(), "{name:?} was taken");
        }
    }
}
