//! A query: which events are meant, wherever they are.

use super::QueryItem;
use crate::Record;
use crate::limits::{QUERY_ITEMS_MAX, QUERY_TERMS_MAX};
use thiserror::Error;

/// Why items do not make a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// There are no items, which could mean nothing or everything.
    #[error("a query without items: write one item without terms (`*`) to mean every event")]
    Empty,
    /// There are too many items.
    #[error("query of {count} items, at most {max} are allowed: give a tag to what belongs together and ask for that")]
    TooManyItems {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// There are too many terms in all items together.
    #[error("query of {count} terms, at most {max} are allowed: give a tag to what belongs together and ask for that")]
    TooManyTerms {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
}

/// Events that match any of the items. There is at least one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    items: Vec<QueryItem>,
}

impl Query {
    /// The query of these items, refusing none and too many.
    pub fn new(items: impl IntoIterator<Item = QueryItem>) -> Result<Self, QueryError> {
        let query = Self { items: items.into_iter().collect() };
        if query.items.is_empty() {
            return Err(QueryError::Empty);
        }
        query.check_size()?;
        Ok(query)
    }

    /// The query that every event matches.
    #[must_use]
    pub fn everything() -> Self {
        Self::from(QueryItem::new())
    }

    /// Whether it has an item without terms, so that every event matches.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.items.iter().any(QueryItem::is_empty)
    }

    /// Its items, of which there is at least one.
    #[must_use]
    pub fn items(&self) -> &[QueryItem] {
        &self.items
    }

    /// How many types, tags and names its items hold.
    #[must_use]
    pub fn term_count(&self) -> usize {
        self.items.iter().map(QueryItem::term_count).sum()
    }

    /// Whether an event matches: what every faster way of finding events must agree with.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.items.iter().any(|item| item.matches(record))
    }

    /// Checks the limits, which a query that was made from a single item has not been asked.
    pub fn check_size(&self) -> Result<(), QueryError> {
        if self.items.len() > QUERY_ITEMS_MAX {
            return Err(QueryError::TooManyItems { count: self.items.len(), max: QUERY_ITEMS_MAX });
        }
        match self.term_count() {
            count if count > QUERY_TERMS_MAX => Err(QueryError::TooManyTerms { count, max: QUERY_TERMS_MAX }),
            _ => Ok(()),
        }
    }
}

impl From<QueryItem> for Query {
    fn from(item: QueryItem) -> Self {
        Self { items: vec![item] }
    }
}

#[cfg(test)]
#[path = "query_test.rs"]
mod tests;
