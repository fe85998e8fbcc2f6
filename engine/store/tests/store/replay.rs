//! Replays in several feeds: together they are everything, and each keeps what belongs together in order.

use crate::support::{event, open, small_options, stream, text};
use gesta::disk::{Disk, SimulatedDisk};
use gesta::{
    AppendRequest, Event, EventType, Feed, Options, PartitionKey, Position, Read, ReadError, Reader, Store, Tag,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// An event as its names matter here: its stream and the values of its `key` tags.
#[derive(Clone, Debug)]
struct Named {
    stream: Option<u8>,
    tags: Vec<u8>,
}

fn named() -> impl Strategy<Value = Named> {
    let tags = prop_oneof![2 => Just(Vec::new()), 5 => prop::collection::vec(0_u8..9, 1), 2 => prop::collection::vec(0_u8..9, 2)];
    (prop::option::weighted(0.8, 0_u8..9), tags).prop_map(|(stream, tags)| Named { stream, tags })
}

impl Named {
    fn event(&self, number: usize) -> Event {
        let event = Event::new(EventType::new("Happened").unwrap()).data(format!("{number}"));
        // A tag whose key only begins like the one that is asked for comes first.
        let mut event = event.tag(Tag::new(format!("keys:{number}")).unwrap());
        for value in &self.tags {
            event = event.tag(Tag::new(format!("key:{value}")).unwrap());
        }
        match self.stream {
            Some(number) => event.stream(stream(&format!("stream-{number}"))),
            None => event,
        }
    }

    fn key(&self, by: &PartitionKey) -> Option<u8> {
        if *by == PartitionKey::Stream { self.stream } else { self.tags.first().copied() }
    }
}

/// The positions that a feed gives, and that each event is the one of its position.
fn positions<D: Disk>(mut feed: Feed<D>) -> Vec<usize> {
    let mut all = Vec::new();
    while let Some(record) = feed.next_record() {
        let record = record.unwrap();
        let position = usize::try_from(record.position().0).unwrap();
        assert_eq!(text(record), position.to_string());
        all.push(position);
        assert_eq!(feed.position(), Position(position as u64 + 1));
        assert!(feed.recorded_at().is_some());
    }
    assert_eq!(feed.position(), feed.cut());
    all
}

/// Each event of the range is in one feed, each feed is in order, and each key is in one feed; those without it are in the
/// first.
fn check(
    feeds: Vec<Vec<usize>>,
    range: Range<usize>,
    events: &[Named],
    by: &PartitionKey,
) -> Result<(), TestCaseError> {
    let mut feed_of_key = BTreeMap::new();
    for (number, feed) in feeds.iter().enumerate() {
        prop_assert!(feed.is_sorted());
        for position in feed {
            match events[*position].key(by) {
                Some(key) => prop_assert_eq!(*feed_of_key.entry(key).or_insert(number), number),
                None => prop_assert_eq!(number, 0),
            }
        }
    }
    let mut all = feeds.concat();
    all.sort_unstable();
    prop_assert_eq!(all, range.collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn feeds_are_everything_once_and_keep_each_key_in_order(
        requests in prop::collection::vec(prop::collection::vec(named(), 1..8), 1..60),
        feed_count in 0_usize..7,
        (from, to) in (0_usize..300, 0_usize..300),
        has_end in any::<bool>(),
    ) {
        let store = open(&SimulatedDisk::new(1));
        let mut number = 0..;
        for request in &requests {
            let events = request.iter().map(|event| event.event(number.next().unwrap()));
            store.append(AppendRequest::new().events(events)).unwrap();
        }
        let events = requests.concat();
        let reader = store.reader();
        for by in [PartitionKey::Stream, PartitionKey::Tag("key".to_owned())] {
            let to = if has_end { to.min(events.len()) } else { events.len() };
            let feeds = if has_end {
                reader.replay(Position(from as u64)..Position(to as u64), feed_count, &by)
            } else {
                reader.replay(Position(from as u64).., feed_count, &by)
            };
            prop_assert_eq!(feeds.len(), feed_count.max(1));
            prop_assert!(feeds.iter().all(|feed| feed.cut() == Position(to as u64)));
            let feeds = feeds.into_iter().map(positions).collect();
            check(feeds, from.min(to)..to, &events, &by)?;
        }
    }
}

#[test]
fn feeds_on_threads_share_one_cut_while_events_are_appended() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { first_segment_bytes: 64 << 10, segment_bytes_max: 64 << 10, ..Options::default() };
    let store = Store::open(directory.path(), options).unwrap();
    let events: Vec<Named> =
        (0..50).cycle().take(3000).map(|number| Named { stream: Some(number), tags: vec![] }).collect();
    let append = |numbers: Range<usize>| {
        let new = numbers.map(|number| events[number].event(number));
        store.append(AppendRequest::new().events(new)).unwrap();
    };
    (0..20).for_each(|request| append(request * 100..request * 100 + 100));
    let by = PartitionKey::Stream;
    let feeds = store.reader().replay(.., 4, &by);
    let read = std::thread::scope(|scope| {
        let threads: Vec<_> = feeds.into_iter().map(|feed| scope.spawn(move || positions(feed))).collect();
        (20..30).for_each(|request| append(request * 100..request * 100 + 100));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(store.reader().head(), Position(3000));
    assert!(read.iter().all(|feed| !feed.is_empty()), "50 streams are spread over 4 feeds");
    check(read, 0..2000, &events, &by).unwrap();
}

#[test]
fn every_feed_tells_damage_and_goes_on_behind_it() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    for number in 0..30 {
        store.append(AppendRequest::new().event(event(&format!("s-{number}"), &format!("event {number}.")))).unwrap();
    }
    store.close().unwrap();
    let name = disk.file_names().into_iter().find(|name| name.ends_with(".log")).unwrap();
    let image = disk.image(&name);
    let offset = image.windows(8).position(|window| window == b"event 7.").unwrap();
    disk.overwrite(&name, offset as u64, b"?");
    let reader = Reader::open_on(disk).unwrap();
    let mut seen = BTreeSet::new();
    for mut feed in reader.replay(.., 3, &PartitionKey::Stream) {
        let mut damage = Vec::new();
        while let Some(record) = feed.next_record() {
            match record {
                Ok(record) => assert!(seen.insert(record.position().0)),
                Err(ReadError::Damaged(damaged)) => damage.push(damaged.positions),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(damage, [Position(7)..Position(8)]);
    }
    assert_eq!(seen, (0..30).filter(|position| *position != 7).collect());
}

#[test]
fn a_replay_reaches_as_far_as_a_read_and_no_further() {
    let store = Store::open_on(SimulatedDisk::new(1), small_options()).unwrap();
    let replay = |from: u64, to: u64| {
        let feeds = store.reader().replay(Position(from)..=Position(to), 2, &PartitionKey::Stream);
        feeds.into_iter().flat_map(positions).collect::<BTreeSet<_>>()
    };
    assert_eq!(replay(0, u64::MAX), BTreeSet::new());
    for number in 0..5 {
        store.append(AppendRequest::new().event(event("a-1", &number.to_string()))).unwrap();
    }
    assert_eq!(replay(1, 3), BTreeSet::from([1, 2, 3]));
    assert_eq!(replay(3, u64::MAX), BTreeSet::from([3, 4]));
    assert_eq!(replay(9, u64::MAX), BTreeSet::new());
    assert_eq!(store.read(Read::all()).head(), store.reader().replay(.., 1, &PartitionKey::Stream)[0].cut());
}
