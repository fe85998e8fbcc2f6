//! The plainest index there is: maps from names to lists, all of it in memory, lost with the process.

use gesta::Record;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Streams with their last revisions, and tags with the positions of their events.
#[derive(Debug, Default)]
pub struct Postings {
    streams: HashMap<Box<str>, u64>,
    tags: HashMap<Box<str>, Vec<u64>>,
}

impl Postings {
    /// Adds the next event.
    pub fn add(&mut self, record: &Record<'_>) {
        if let (Some(stream), Some(revision)) = (record.stream(), record.revision()) {
            match self.streams.get_mut(stream) {
                Some(last) => *last = revision.0,
                None => drop(self.streams.insert(stream.into(), revision.0)),
            }
        }
        for tag in record.tags() {
            match self.tags.get_mut(tag) {
                Some(positions) => positions.push(record.position().0),
                None => drop(self.tags.insert(tag.into(), vec![record.position().0])),
            }
        }
    }

    /// The last revision of a stream.
    #[must_use]
    pub fn revision(&self, stream: &str) -> Option<u64> {
        self.streams.get(stream).copied()
    }

    /// Whether any event has a tag.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.contains_key(tag)
    }

    /// Whether any event has both tags: one walk over both lists.
    #[must_use]
    pub fn has_both(&self, first: &str, second: &str) -> bool {
        let (Some(first), Some(second)) = (self.tags.get(first), self.tags.get(second)) else { return false };
        let (mut first, mut second) = (first.iter().peekable(), second.iter().peekable());
        while let (Some(left), Some(right)) = (first.peek(), second.peek()) {
            match left.cmp(right) {
                Ordering::Less => drop(first.next()),
                Ordering::Greater => drop(second.next()),
                Ordering::Equal => return true,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta::codec::{encode_record, place_record};
    use gesta::{Event, EventType, Position, StreamName, Tag, Uuid};

    #[test]
    fn postings_tell_what_was_added() {
        let mut postings = Postings::default();
        for (position, tags) in (0..).zip([["a:1", "b:1"], ["a:1", "b:2"], ["a:2", "b:2"]]) {
            let event = Event::new(EventType::new("Counted").unwrap()).stream(StreamName::new("counter").unwrap());
            let event = tags.into_iter().fold(event, |event, tag| event.tag(Tag::new(tag).unwrap()));
            let mut bytes = Vec::new();
            encode_record(&event, Uuid::from_u128(1), &mut bytes);
            place_record(&mut bytes, position, Position(position));
            postings.add(&Record::decode(&bytes, Position(position)).unwrap().0);
        }
        assert_eq!((postings.revision("counter"), postings.revision("other")), (Some(2), None));
        assert!(postings.has_tag("b:1") && !postings.has_tag("c:1"));
        assert!(
            postings.has_both("a:1", "b:2") && !postings.has_both("a:2", "b:1") && !postings.has_both("a:1", "c:1")
        );
    }
}
