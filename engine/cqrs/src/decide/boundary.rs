//! Which events a decision rests on.

use gesta_model::{NameError, Query, QueryError, QueryItem, StreamName, Tag};
use std::fmt::{self, Display};
use thiserror::Error;

/// The consistency boundary of a command: one stream, or several, or queries, or both.
///
/// What is decided holds only if nothing else happened within the boundary. Names that cannot be are remembered, and
/// refused when the command is handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    streams: Vec<StreamName>,
    queries: Vec<Query>,
    error: Option<BoundaryError>,
}

/// A boundary that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BoundaryError {
    /// A stream or a tag of it cannot be a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Its queries cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Boundary {
    const NOTHING: Self = Self { streams: Vec::new(), queries: Vec::new(), error: None };

    /// The events of the stream `category-id`.
    #[must_use]
    pub fn stream(category: &str, id: impl Display) -> Self {
        match StreamName::new(format!("{category}-{id}")) {
            Ok(stream) => Self { streams: vec![stream], ..Self::NOTHING },
            Err(error) => Self { error: Some(error.into()), ..Self::NOTHING },
        }
    }

    /// The events with the tag `key:value`, wherever they are.
    #[must_use]
    pub fn tag(key: &str, value: impl Display) -> Self {
        let tagged = Tag::new(format!("{key}:{value}"));
        let query = tagged.map_err(BoundaryError::from).and_then(|tag| Ok(Query::new([QueryItem::new().tag(tag)])?));
        match query {
            Ok(query) => Self::query(query),
            Err(error) => Self { error: Some(error), ..Self::NOTHING },
        }
    }

    /// The events that match a query: a dynamic consistency boundary.
    #[must_use]
    pub fn query(query: Query) -> Self {
        Self { queries: vec![query], ..Self::NOTHING }
    }

    /// Nothing at all: the decision rests on the command alone.
    #[must_use]
    pub fn nothing() -> Self {
        Self::NOTHING
    }

    /// The events of both boundaries.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for stream in other.streams {
            if !self.streams.contains(&stream) {
                self.streams.push(stream);
            }
        }
        self.queries.extend(other.queries);
        self.error = self.error.or(other.error);
        self
    }

    /// Whether it can be, and if not, why.
    pub(crate) fn check(&self) -> Result<(), BoundaryError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn streams(&self) -> &[StreamName] {
        &self.streams
    }

    pub(crate) fn queries(&self) -> &[Query] {
        &self.queries
    }

    /// The one stream that it is, if it is that.
    pub(crate) fn only_stream(&self) -> Option<&StreamName> {
        match (&self.streams[..], &self.queries[..]) {
            ([stream], []) => Some(stream),
            _ => None,
        }
    }

    /// One query for all of it; `None` when it is nothing.
    pub(crate) fn as_query(&self) -> Result<Option<Query>, BoundaryError> {
        if self.queries.iter().any(Query::is_everything) {
            return Ok(Some(Query::everything()));
        }
        let of_streams = self.streams.iter().map(|stream| QueryItem::new().stream(stream.clone()));
        let of_queries = self.queries.iter().flat_map(|query| query.items().iter().cloned());
        let items: Vec<_> = of_streams.chain(of_queries).collect();
        if items.is_empty() { Ok(None) } else { Ok(Some(Query::new(items)?)) }
    }
}

impl Display for Boundary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stream) = self.only_stream() {
            return formatter.write_str(stream.as_str());
        }
        match self.as_query() {
            Ok(Some(query)) => query.fmt(formatter),
            _ => formatter.write_str("nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_the_union_of_its_parts_each_stream_once() {
        let both =
            Boundary::stream("account", 1).and(Boundary::stream("account", 2)).and(Boundary::stream("account", 1));
        assert_eq!(both.to_string(), "stream=account-1 | stream=account-2");
        assert_eq!(both.only_stream(), None);
        let mixed = both.and(Boundary::tag("course", "c 1"));
        assert_eq!(mixed.to_string(), r#"stream=account-1 | stream=account-2 | tag="course:c 1""#);
        assert_eq!(Boundary::stream("account", 1).to_string(), "account-1");
    }

    #[test]
    fn everything_swallows_the_rest_and_nothing_adds_nothing() {
        let everything = Boundary::query(Query::everything()).and(Boundary::stream("account", 1));
        assert_eq!(everything.as_query(), Ok(Some(Query::everything())));
        assert_eq!(Boundary::nothing().as_query(), Ok(None));
        assert_eq!(Boundary::nothing().and(Boundary::stream("a", 1)), Boundary::stream("a", 1));
    }

    #[test]
    fn a_name_that_cannot_be_is_remembered() {
        let bad = Boundary::tag("course", "\n");
        assert!(matches!(bad.check(), Err(BoundaryError::Name(_))));
        assert!(Boundary::stream("account", 1).and(bad).check().is_err());
        assert!(Boundary::stream("account", "x".repeat(5000)).check().is_err());
    }
}
