//! The few names that random events have, and the events and queries that are made of them.
//!
//! Few names make many matches; the last of each list is one that no event has.

use gesta::{Category, Event, EventType, Query, QueryItem, StreamName, Tag, Uuid};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Streams with a shared category, with one of their own, and with none.
const STREAMS: [&str; 6] = ["order-1", "order-2", "user-1", "user", "-odd", "order-9"];
const CATEGORIES: [&str; 3] = ["order", "user", "odd"];
const TYPES: [&str; 4] = ["Placed", "Paid", "Closed", "Never"];
const TAGS: [&str; 4] = ["a:1", "a:2", "b:1", "b:9"];

/// What a random event is made of; it gets its id and its data when it is appended.
#[derive(Clone, Debug)]
pub(crate) struct EventDraft {
    pub(crate) stream: Option<&'static str>,
    pub(crate) event_type: &'static str,
    /// A tag may be there twice.
    pub(crate) tags: Vec<&'static str>,
    /// Bytes of data.
    pub(crate) size: u16,
}

impl EventDraft {
    /// The event, told from every other one by a number.
    pub(crate) fn event(&self, number: u64) -> Event {
        let text = format!("{number}:{}", "x".repeat(usize::from(self.size)));
        let event = Event::new(EventType::new(self.event_type).unwrap()).id(id(number)).data(text);
        let event = self.tags.iter().fold(event, |event, tag| event.tag(Tag::new(*tag).unwrap()));
        match self.stream {
            Some(name) => event.stream(StreamName::new(name).unwrap()),
            None => event,
        }
    }
}

/// An id for a number.
pub(crate) fn id(number: u64) -> Uuid {
    Uuid::from_u128((0x6e57_a000 << 64) | u128::from(number + 1))
}

/// A stream that events may be of.
pub(crate) fn stream_name() -> impl Strategy<Value = &'static str> {
    select(&STREAMS[..STREAMS.len() - 1])
}

/// An event of any stream or of none.
pub(crate) fn event_draft() -> impl Strategy<Value = EventDraft> {
    event_draft_of(option::weighted(0.9, stream_name()))
}

/// An event of one of these streams.
pub(crate) fn event_draft_of(stream: impl Strategy<Value = Option<&'static str>>) -> impl Strategy<Value = EventDraft> {
    let size = prop_oneof![4 => 0_u16..60, 1 => 300_u16..700];
    (stream, select(&TYPES[..TYPES.len() - 1]), vec(select(&TAGS[..TAGS.len() - 1]), 0..3), size)
        .prop_map(|(stream, event_type, tags, size)| EventDraft { stream, event_type, tags, size })
}

/// Any query, that of everything included.
pub(crate) fn query() -> impl Strategy<Value = Query> {
    vec(query_item(), 1..4).prop_map(|items| Query::new(items).unwrap())
}

fn query_item() -> impl Strategy<Value = QueryItem> {
    let types = prop_oneof![2 => Just(Vec::new()), 2 => vec(select(&TYPES[..]), 1..3)];
    let tags = prop_oneof![2 => Just(Vec::new()), 3 => vec(select(&TAGS[..]), 1..3)];
    let stream = option::weighted(0.2, select(&STREAMS[..]));
    let category = option::weighted(0.2, select(&CATEGORIES[..]));
    (types, tags, stream, category).prop_map(|(types, tags, stream, category)| QueryItem {
        types: types.into_iter().map(|name| EventType::new(name).unwrap()).collect(),
        tags: tags.into_iter().map(|name| Tag::new(name).unwrap()).collect(),
        stream: stream.map(|name| StreamName::new(name).unwrap()),
        category: category.map(|name| Category::new(name).unwrap()),
    })
}

/// What names may begin with: nothing, something, or what no name begins with.
pub(crate) fn prefix() -> impl Strategy<Value = &'static str> {
    select(&["", "order-", "user", "P", "a:", "-", "none"][..])
}
