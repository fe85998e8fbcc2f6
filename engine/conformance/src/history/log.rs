//! What the store holds in the end, to be asked what stood where.
//!
//! Names are numbered, and each has the list of its positions: so a question about a place in the log looks at few events,
//! however long the log is. What matches is judged here by itself, not by the code that is put to the test.

use gesta_model::{
    Category, Check, EventCursor, Position, Query, QueryItem, ReadError, Record, Revision, Selection, Uuid,
};
use std::collections::HashMap;
use std::ops::Range;

/// All events of a store, in their order, without their contents.
#[derive(Debug, Default)]
pub struct Log {
    pub(super) events: Vec<Logged>,
    /// Positions that did not follow the one before: where each was expected, and what it was.
    pub(super) gaps: Vec<(Position, Position)>,
    names: HashMap<(Kind, Box<str>), usize>,
    /// The places of the events that have each name, ascending.
    places: Vec<Vec<u64>>,
}

/// An event.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) id: Uuid,
    pub(super) revision: Option<Revision>,
    /// The numbers of its stream, category, type and tags.
    names: Box<[usize]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Stream,
    Category,
    Type,
    Tag,
}

impl Log {
    /// A log without events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that a cursor gives, which reads all events forward.
    pub fn read(cursor: &mut impl EventCursor) -> Result<Self, ReadError> {
        let mut log = Self::new();
        while let Some(record) = cursor.next_record() {
            log.push(&record?);
        }
        Ok(log)
    }

    /// Adds the next event.
    pub fn push(&mut self, record: &Record<'_>) {
        let place = self.events.len() as u64;
        if record.position() != Position(place) {
            self.gaps.push((Position(place), record.position()));
        }
        let mut names = Vec::new();
        if let Some(stream) = record.stream() {
            names.push(self.number(Kind::Stream, stream));
            names.extend(Category::of(stream).map(|category| self.number(Kind::Category, category)));
        }
        names.push(self.number(Kind::Type, record.event_type()));
        names.extend(record.tags().map(|tag| self.number(Kind::Tag, tag)));
        names.sort_unstable();
        names.dedup();
        for name in &names {
            self.places[*name].push(place);
        }
        self.events.push(Logged { id: record.id(), revision: record.revision(), names: names.into() });
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The places of the events of each stream.
    pub(super) fn streams(&self) -> impl Iterator<Item = &[u64]> {
        let streams = self.names.iter().filter(|((kind, _), _)| *kind == Kind::Stream);
        streams.map(|(_, number)| &*self.places[*number])
    }

    /// Whether a check was true when the log was so long.
    pub(super) fn holds(&self, check: &Check, length: Position) -> bool {
        match check {
            Check::Stream { stream, expected } => {
                let places = self.places_of(Kind::Stream, stream.as_str());
                let count = places.partition_point(|place| *place < length.0) as u64;
                expected.holds(count.checked_sub(1).map(Revision))
            }
            Check::NoEvents { query, after } => {
                let range = after.0..length.0;
                !query.items().iter().any(|item| self.matches(item, &range).next().is_some())
            }
            check => unreachable!("a check that cannot be judged: {check:?}"),
        }
    }

    /// The ids of the events in a range that are meant, in their order.
    pub(super) fn meant(&self, selection: &Selection, range: &Range<u64>) -> Vec<Uuid> {
        let of_query = |query: &Query| {
            let mut places: Vec<u64> = query.items().iter().flat_map(|item| self.matches(item, range)).collect();
            places.sort_unstable();
            places.dedup();
            places
        };
        let places = match selection {
            Selection::Everything => of_query(&Query::everything()),
            Selection::Stream(stream) => of_query(&Query::from(QueryItem::new().stream(stream.clone()))),
            Selection::Query(query) => of_query(query),
        };
        places.into_iter().map(|place| self.events[index(place)].id).collect()
    }

    /// The places in a range where an item of a query matches, not in their order where it names several types.
    fn matches<'l>(&'l self, item: &QueryItem, range: &Range<u64>) -> Box<dyn Iterator<Item = u64> + 'l> {
        let tags = item.tags.iter().map(|tag| (Kind::Tag, tag.as_str()));
        let streams = item.stream.iter().map(|stream| (Kind::Stream, stream.as_str()));
        let categories = item.category.iter().map(|category| (Kind::Category, category.as_str()));
        let needed: Option<Vec<usize>> =
            tags.chain(streams).chain(categories).map(|(kind, name)| self.known(kind, name)).collect();
        let types: Vec<usize> = item.types.iter().filter_map(|name| self.known(Kind::Type, name.as_str())).collect();
        let Some(needed) = needed.filter(|_| item.types.is_empty() || !types.is_empty()) else {
            return Box::new(std::iter::empty());
        };
        let is_any_type = item.types.is_empty();
        match needed.iter().min_by_key(|name| self.places[**name].len()) {
            Some(rarest) => {
                let places = within(&self.places[*rarest], range).iter().copied();
                Box::new(places.filter(move |place| {
                    let names = &self.events[index(*place)].names;
                    needed.iter().all(|name| names.contains(name))
                        && (is_any_type || types.iter().any(|name| names.contains(name)))
                }))
            }
            None if is_any_type => Box::new(range.start..range.end.min(self.events.len() as u64)),
            None => {
                let lists: Vec<&'l [u64]> = types.iter().map(|name| within(&self.places[*name], range)).collect();
                Box::new(lists.into_iter().flatten().copied())
            }
        }
    }

    fn number(&mut self, kind: Kind, name: &str) -> usize {
        let next = self.places.len();
        let number = *self.names.entry((kind, name.into())).or_insert(next);
        if number == next {
            self.places.push(Vec::new());
        }
        number
    }

    fn known(&self, kind: Kind, name: &str) -> Option<usize> {
        self.names.get(&(kind, name.into())).copied()
    }

    fn places_of(&self, kind: Kind, name: &str) -> &[u64] {
        self.known(kind, name).map_or(&[], |number| &*self.places[number])
    }
}

/// The places that lie in a range.
fn within<'p>(places: &'p [u64], range: &Range<u64>) -> &'p [u64] {
    let start = places.partition_point(|place| *place < range.start);
    let end = places.partition_point(|place| *place < range.end);
    &places[start..end.max(start)]
}

fn index(place: u64) -> usize {
    usize::try_from(place).expect("what is in memory has an index")
}
