//! Replays in several feeds, compared with the reference.

use super::answer::{Checked, fail};
use super::step::ReplayDraft;
use super::tally::REPLAYED;
use super::world::World;
use gesta::disk::SimulatedDisk;
use gesta::{Feed, PartitionKey, Position, Reader, Record};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What all feeds of a replay have given so far.
#[derive(Default)]
struct Given {
    positions: BTreeSet<u64>,
    /// Which feed each key is in.
    feeds: BTreeMap<String, usize>,
}

impl World {
    /// Together the feeds are everything up to one cut, once; each is in order and keeps what belongs together, also when the
    /// log grows after they were made.
    pub(super) fn replay(&mut self, draft: &ReplayDraft) -> Checked {
        let reader =
            if draft.is_observer { Reader::open_on(self.disk.clone()).map_err(fail)? } else { self.store().reader() };
        let head = reader.head();
        self.promise(head)?;
        let place = |number: u8| Position(u64::from(number) % (head.0 + 2));
        let from = draft.from.map_or(Position::START, place);
        let feeds = match draft.to.map(place) {
            Some(to) => reader.replay(from..to, usize::from(draft.feed_count), &draft.by),
            None => reader.replay(from.., usize::from(draft.feed_count), &draft.by),
        };
        prop_assert_eq!(feeds.len(), usize::from(draft.feed_count).max(1));
        let cut = draft.to.map_or(head, place).min(head);
        if let Some(draft) = &draft.meanwhile {
            let wish = self.wish(draft);
            self.append(&wish)?;
        }
        let mut given = Given::default();
        for (number, feed) in feeds.into_iter().enumerate() {
            prop_assert_eq!(feed.cut(), cut);
            self.read_feed(number, feed, &draft.by, &mut given)?;
        }
        let expected: BTreeSet<u64> = (from.0..cut.0).collect();
        prop_assert_eq!(&given.positions, &expected);
        self.tally.add(REPLAYED, expected.len() as u64);
        let feed_count = given.feeds.values().collect::<BTreeSet<_>>().len();
        self.tally.add("replays with events in several feeds", u64::from(feed_count > 1));
        Ok(())
    }

    fn read_feed(
        &mut self,
        number: usize,
        mut feed: Feed<SimulatedDisk>,
        by: &PartitionKey,
        given: &mut Given,
    ) -> Checked {
        let mut last = None;
        while let Some(record) = feed.next_record() {
            let record = record.map_err(fail)?;
            let position = record.position();
            prop_assert!(last < Some(position), "{} after {:?}", position, last);
            last = Some(position);
            let bytes = self.reference.at(position).map(|event| event.record().bytes().to_vec());
            prop_assert_eq!(bytes.as_deref(), Some(record.bytes()), "at {}", position);
            prop_assert!(given.positions.insert(position.0), "{} is given twice", position);
            match key_of(&record, by) {
                Some(key) => prop_assert_eq!(*given.feeds.entry(key).or_insert(number), number, "at {}", position),
                None => prop_assert_eq!(number, 0, "at {}", position),
            }
            let recorded_at = feed.recorded_at().expect("an event was read");
            let is_known = self.reference.note_recorded_at(position, recorded_at);
            prop_assert!(is_known, "{} was recorded at another time", position);
            prop_assert_eq!(feed.position(), position.plus(1));
        }
        prop_assert_eq!(feed.position(), feed.cut());
        Ok(())
    }
}

/// What keeps an event together with others.
fn key_of(record: &Record<'_>, by: &PartitionKey) -> Option<String> {
    match by {
        PartitionKey::Tag(key) => {
            let tag = record.tags().find(|tag| tag.split_once(':').is_some_and(|(found, _)| found == key));
            tag.map(str::to_owned)
        }
        _ => record.stream().map(str::to_owned),
    }
}
