//! One alternative of a query: what must all be true of an event.

use crate::{Category, EventType, Record, StreamName, Tag};

/// The terms that one event must meet together. An item without terms is met by every event.
///
/// An item may name a stream and a category that is not that stream's; no event meets it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct QueryItem {
    /// The event has one of these types; none given: any type.
    pub types: Vec<EventType>,
    /// The event has all of these tags.
    pub tags: Vec<Tag>,
    /// The event belongs to this stream.
    pub stream: Option<StreamName>,
    /// The event belongs to a stream of this category.
    pub category: Option<Category>,
}

impl QueryItem {
    /// An item without terms.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a type that the event may have.
    #[must_use]
    pub fn event_type(mut self, event_type: EventType) -> Self {
        self.types.push(event_type);
        self
    }

    /// Adds a tag that the event must have.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        self.tags.push(tag);
        self
    }

    /// Says which stream the event belongs to.
    #[must_use]
    pub fn stream(mut self, stream: StreamName) -> Self {
        self.stream = Some(stream);
        self
    }

    /// Says which category the event's stream is of.
    #[must_use]
    pub fn category(mut self, category: Category) -> Self {
        self.category = Some(category);
        self
    }

    /// Whether nothing is asked, so that every event matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.term_count() == 0
    }

    /// How many types, tags and names it holds.
    #[must_use]
    pub fn term_count(&self) -> usize {
        let names = usize::from(self.stream.is_some()) + usize::from(self.category.is_some());
        self.types.len() + self.tags.len() + names
    }

    /// Whether an event meets every term.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        let is_of_stream = |stream: &StreamName| record.stream() == Some(stream.as_str());
        let is_of_category = |category: &Category| record.stream().and_then(Category::of) == Some(category.as_str());
        self.stream.as_ref().is_none_or(is_of_stream)
            && self.category.as_ref().is_none_or(is_of_category)
            && (self.types.is_empty() || self.types.iter().any(|known| known.as_str() == record.event_type()))
            && self.tags.iter().all(|tag| record.has_tag(tag))
    }
}
