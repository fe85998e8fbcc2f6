//! What is read: everything, a stream, a query; from where, in which direction, how many.

use crate::Harness;
use crate::support::{event, of_type, positions, put, put_event, query, read, stream, tag, texts};
use gesta_model::{AppendRequest, EventReader, EventStore, Position, Query, QueryItem, Read, Revision, Timestamp};

/// Six events: streams a, b, a, b, a, b; every third has the tag.
fn six<H: Harness>(harness: &H) -> H::Store {
    let store = harness.fresh();
    for number in 0..6 {
        let event = event(["a-1", "b-1"][number % 2], &number.to_string());
        put_event(&store, if number % 3 == 0 { event.tag(tag("x:1")) } else { event });
    }
    store
}

/// Each kind of read, with the positions of its events.
fn kinds() -> [(Read, Vec<u64>); 4] {
    [
        (Read::all(), vec![0, 1, 2, 3, 4, 5]),
        (Read::stream(stream("b-1")), vec![1, 3, 5]),
        (Read::query(query("tag=x:1 | stream=a-1")), vec![0, 2, 3, 4]),
        (Read::query(Query::everything()), vec![0, 1, 2, 3, 4, 5]),
    ]
}

/// A store without events is read in every way.
pub fn an_empty_store_is_read_in_every_way<H: Harness>(harness: &H) {
    let store = harness.fresh();
    assert_eq!(store.head().unwrap(), Position::START);
    for (asked, _) in kinds() {
        for asked in [asked.clone(), asked.clone().backwards(), asked.clone().unsynced(), asked.from(Position(7))] {
            assert!(texts(&store, asked.clone()).is_empty(), "{asked:?}");
        }
    }
    assert_eq!(store.stream_revision(&stream("a-1")).unwrap(), None);
    let store = harness.reopen(store);
    assert_eq!((store.head().unwrap(), positions(&store, Read::all())), (Position::START, Vec::new()));
}

/// Everything, a stream and a query are read in both directions.
pub fn everything_a_stream_and_a_query_are_read_both_ways<H: Harness>(harness: &H) {
    let store = six(harness);
    let store = harness.reopen(store);
    for (asked, mut expected) in kinds() {
        assert_eq!(positions(&store, asked.clone()), expected, "{asked:?}");
        expected.reverse();
        assert_eq!(positions(&store, asked.clone().backwards()), expected, "{asked:?}");
    }
}

/// A read begins at a position, inclusive in both directions, even where nothing that is meant stands, or nothing at all.
pub fn a_read_begins_at_a_position<H: Harness>(harness: &H) {
    let store = six(harness);
    for (asked, all) in kinds() {
        for from in [0, 1, 2, 3, 4, 5, 6, 7, 1 << 40, u64::MAX - 1, u64::MAX] {
            let forward: Vec<u64> = all.iter().copied().filter(|position| *position >= from).collect();
            let backward: Vec<u64> = all.iter().rev().copied().filter(|position| *position <= from).collect();
            let asked = asked.clone().from(Position(from));
            assert_eq!(positions(&store, asked.clone()), forward, "{asked:?}");
            assert_eq!(positions(&store, asked.clone().backwards()), backward, "{asked:?}");
        }
    }
}

/// A read of a stream begins at a revision, inclusive in both directions.
pub fn a_read_of_a_stream_begins_at_a_revision<H: Harness>(harness: &H) {
    let store = six(harness);
    for from in [0, 1, 2, 3, 4, u64::MAX - 1, u64::MAX] {
        let forward: Vec<u64> = (0..3).filter(|revision| *revision >= from).map(|revision| 2 * revision + 1).collect();
        let backward: Vec<u64> =
            (0..3).rev().filter(|revision| *revision <= from).map(|number| 2 * number + 1).collect();
        let asked = Read::stream(stream("b-1")).from_revision(Revision(from));
        assert_eq!(positions(&store, asked.clone()), forward, "{from}");
        assert_eq!(positions(&store, asked.backwards()), backward, "{from}");
    }
    // Of both, the later one counts; without a stream a revision is not asked.
    let both = |from| Read::stream(stream("b-1")).from_revision(Revision(1)).from(Position(from));
    assert_eq!(positions(&store, both(0)), [3, 5]);
    assert_eq!(positions(&store, both(4)), [5]);
    assert_eq!(positions(&store, both(2).backwards()), [1]);
    assert_eq!(positions(&store, Read::all().from_revision(Revision(9))), [0, 1, 2, 3, 4, 5]);
    assert_eq!(positions(&store, Read::query(query("tag=x:1")).from_revision(Revision(9))), [0, 3]);
}

/// A read gives as many events as its limit says, and no more than there are.
pub fn a_read_ends_at_its_limit<H: Harness>(harness: &H) {
    let store = six(harness);
    for (asked, all) in kinds() {
        for limit in [0, 1, 2, 3, 4, 6, 7, u64::MAX] {
            let count = usize::try_from(limit).unwrap_or(usize::MAX).min(all.len());
            assert_eq!(positions(&store, asked.clone().limit(limit)), all[..count], "{asked:?}");
            let backward: Vec<u64> = all.iter().rev().take(count).copied().collect();
            assert_eq!(positions(&store, asked.clone().backwards().limit(limit)), backward, "{asked:?}");
        }
    }
    assert_eq!(positions(&store, Read::stream(stream("a-1")).from(Position(1)).limit(1)), [2]);
    assert_eq!(positions(&store, Read::stream(stream("a-1")).from(Position(3)).backwards().limit(1)), [2]);
}

/// A read of what the store took since a moment leaves out what it took before, in both directions.
pub fn a_read_begins_at_a_moment<H: Harness>(harness: &H) {
    let store = six(harness);
    let taken: Vec<Timestamp> = read(&store, Read::all()).iter().map(|event| event.recorded_at()).collect();
    let moments = taken.iter().flat_map(|time| [Timestamp(time.0 - 1), *time, Timestamp(time.0 + 1)]);
    for since in moments.chain([Timestamp(i64::MIN), Timestamp(i64::MAX), Timestamp(0)]) {
        for (asked, all) in kinds() {
            let is_late = |position: &u64| taken[usize::try_from(*position).unwrap()] >= since;
            let mut expected: Vec<u64> = all.into_iter().filter(is_late).collect();
            assert_eq!(positions(&store, asked.clone().since(since)), expected, "{asked:?}");
            expected.reverse();
            assert_eq!(positions(&store, asked.clone().since(since).backwards()), expected, "{asked:?}");
            expected.retain(|position| *position <= 3);
            expected.truncate(1);
            let narrow = asked.since(since).backwards().from(Position(3)).limit(1);
            assert_eq!(positions(&store, narrow.clone()), expected, "{narrow:?}");
        }
    }
}

/// Every way to say which events are meant finds those and no others.
pub fn every_term_of_a_query_finds_its_events<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let placed = |name: &str| of_type("Placed").stream(stream(name));
    store
        .append(AppendRequest::new().events([
            placed("order-1").tag(tag("customer:4")).tag(tag("country:nl")),
            placed("order-2").tag(tag("customer:5")),
            of_type("Paid").stream(stream("order-1")).tag(tag("customer:4")),
            of_type("Noted").tag(tag("customer:4")),
            of_type("Paid"),
        ]))
        .unwrap();
    let questions: [(&str, &[u64]); 15] = [
        ("*", &[0, 1, 2, 3, 4]),
        ("type=Placed", &[0, 1]),
        ("type=Noted,Placed", &[0, 1, 3]),
        ("tag=customer:4", &[0, 2, 3]),
        ("tag=customer:4 tag=country:nl", &[0]),
        ("tag=customer:4 tag=customer:5", &[]),
        ("stream=order-1", &[0, 2]),
        ("category=order", &[0, 1, 2]),
        ("category=order type=Paid", &[2]),
        ("category=invoice stream=order-1", &[]),
        ("type=Paid tag=customer:4", &[2]),
        ("type=Paid | tag=country:nl", &[0, 2, 4]),
        ("type=Paid | type=Paid", &[2, 4]),
        ("type=Never | tag=customer:5", &[1]),
        ("type=Placed | *", &[0, 1, 2, 3, 4]),
    ];
    let store = harness.reopen(store);
    for (text, expected) in questions {
        assert_eq!(positions(&store, Read::query(query(text))), expected, "{text}");
        assert!(positions(&store, Read::query(query(text)).backwards()).iter().rev().eq(expected), "{text}");
    }
}

/// A query of a thousand items finds what any of them means, once.
pub fn a_query_of_a_thousand_items_finds_what_any_of_them_means<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let events = (0..300).map(|number| of_type("A").tag(tag(&format!("n:{}", number * 7))).tag(tag("n:0")));
    store.append(AppendRequest::new().events(events)).unwrap();
    let items = (1..=1_000).map(|number| QueryItem::new().tag(tag(&format!("n:{number}"))));
    let found = positions(&store, Read::query(Query::new(items).unwrap()));
    assert_eq!(found, (1..=142).collect::<Vec<u64>>());
}

/// Thousands of events are read to the end, in both directions, in small pieces and in large ones.
pub fn a_long_log_is_read_to_its_end<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for request in 0..10 {
        let numbers = request * 1_000..(request + 1) * 1_000;
        let events = numbers
            .map(|number: u64| event(["a-1", "b-1"][(number % 2) as usize], &"x".repeat((number % 300) as usize)));
        store.append(AppendRequest::new().events(events)).unwrap();
    }
    assert!(positions(&store, Read::all()).into_iter().eq(0..10_000));
    assert!(positions(&store, Read::all().backwards()).into_iter().eq((0..10_000).rev()));
    assert!(positions(&store, Read::stream(stream("b-1"))).into_iter().eq((1..10_000).step_by(2)));
    assert!(positions(&store, Read::all().from(Position(9_000)).limit(700)).into_iter().eq(9_000..9_700));
    let mut from = Position::START;
    while let Some(last) = positions(&store, Read::stream(stream("a-1")).from(from).limit(999)).last() {
        from = Position(last + 1);
    }
    assert_eq!(from, Position(9_999));
}

/// Large events are read one after another, many megabytes in all.
pub fn large_events_are_read_one_after_another<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let large = |number: u8| vec![number; 700_000];
    for number in 0..24 {
        put_event(&store, of_type("Large").stream(stream("a-1")).data(large(number)));
    }
    for asked in [Read::all(), Read::stream(stream("a-1"))] {
        for (shown, number) in read(&store, asked).iter().zip(0..24) {
            assert!(shown.record().data().bytes() == large(number), "event {number} came back otherwise");
        }
    }
}

/// The last revision of a stream is told as it grows, for each stream by itself.
pub fn the_last_revision_of_a_stream_is_told<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let last = |store: &H::Store, name| store.stream_revision(&stream(name)).unwrap();
    assert_eq!(last(&store, "a-1"), None);
    put(&store, "a-1", &["0"]);
    assert_eq!(last(&store, "a-1"), Some(Revision(0)));
    put(&store, "b-1", &["0", "1", "2"]);
    put(&store, "a-1", &["1"]);
    assert_eq!((last(&store, "a-1"), last(&store, "b-1")), (Some(Revision(1)), Some(Revision(2))));
    let store = harness.reopen(store);
    assert_eq!((last(&store, "a-1"), last(&store, "b-1")), (Some(Revision(1)), Some(Revision(2))));
    assert_eq!((last(&store, "a"), last(&store, "a-")), (None, None));
}
