//! Which stores a token is good for.

use std::collections::BTreeSet;

/// The name that stands for every store.
const EVERY: &str = "*";

/// Longer than the name of any store.
const STORE_NAME_BYTES_MAX: usize = 255;

/// A set of stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stores {
    /// Every store, also those to come.
    Every,
    /// These.
    Named(BTreeSet<String>),
}

impl Stores {
    /// The stores of these names; `*` is every store. None, when there is no name, or one that no store can have.
    pub fn of<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Option<Self> {
        let names: BTreeSet<String> = names.into_iter().map(Into::into).collect();
        if names.len() == 1 && names.contains(EVERY) {
            return Some(Self::Every);
        }
        (!names.is_empty() && names.iter().all(|name| is_name(name))).then_some(Self::Named(names))
    }

    /// Whether a store is one of them.
    #[must_use]
    pub fn has(&self, store: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Named(names) => names.contains(store),
        }
    }

    /// The names, `*` for every store.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let (every, named) = match self {
            Self::Every => (Some(EVERY), None),
            Self::Named(names) => (None, Some(names.iter().map(String::as_str))),
        };
        every.into_iter().chain(named.into_iter().flatten())
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name != EVERY && name.len() <= STORE_NAME_BYTES_MAX && !name.contains(char::is_control)
}
