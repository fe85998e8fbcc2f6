//! What a cursor says of itself: heads, times and costs; cursors that are many, shared out or left half read.

use crate::Harness;
use crate::support::{drain, event, positions, put, put_event, query, read, settle, stream, tag, tagged, texts, write};
use gesta_model::{AppendRequest, EventCursor, EventReader, EventStore, Explanation, Position, Read, Timestamp};

/// A cursor ends at the head as of its read, which it tells; what is appended later is not its business.
pub fn a_cursor_ends_at_the_head_as_of_its_read<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1"]);
    let reads = [
        Read::all(),
        Read::stream(stream("a-1")),
        Read::query(query("type=Happened")),
        Read::all().backwards(),
        Read::all().unsynced(),
    ];
    let cursors: Vec<_> = reads.iter().map(|asked| store.read(asked.clone()).unwrap()).collect();
    put(&store, "a-1", &["2"]);
    for (cursor, asked) in cursors.into_iter().zip(&reads) {
        assert_eq!(cursor.head(), Position(2), "{asked:?}");
        assert_eq!(drain(cursor).len(), 2, "{asked:?}");
    }
    let mut cursor = store.read(Read::all().from(Position(9)).limit(1)).unwrap();
    assert!(cursor.next_record().is_none());
    assert_eq!(cursor.head(), Position(3));
}

/// The head of a read of unsynced events takes in what is written; that of another read is the store's.
pub fn a_head_is_of_what_the_read_may_see<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0"]);
    write(&store, event("a-1", "1"));
    assert_eq!(store.read(Read::all().unsynced()).unwrap().head(), Position(2));
    let before = store.head().unwrap();
    let head = store.read(Read::all()).unwrap().head();
    assert!(before <= head && head <= store.head().unwrap());
    settle(&store);
    assert_eq!(store.read(Read::all()).unwrap().head(), Position(2));
}

/// When an event was taken never goes back, is the same by every way of reading, and is told once one was read.
pub fn recorded_times_never_go_back<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for number in 0..30 {
        put_event(&store, event("a-1", &number.to_string()).time(Timestamp(-number)));
    }
    assert_eq!(store.read(Read::all()).unwrap().recorded_at(), None);
    let times = |store: &H::Store, asked: Read| -> Vec<Timestamp> {
        read(store, asked).iter().map(|event| event.recorded_at()).collect()
    };
    let all = times(&store, Read::all());
    assert!(all.is_sorted() && all[0] > Timestamp(0), "{all:?}");
    let store = harness.reopen(store);
    put(&store, "a-1", &["later"]);
    let all_later = times(&store, Read::all());
    assert!(all_later.is_sorted() && all_later[..30] == all, "{all_later:?}");
    for asked in [Read::stream(stream("a-1")), Read::query(query("stream=a-1")), Read::all().unsynced()] {
        assert_eq!(times(&store, asked), all_later);
    }
    let mut backward = times(&store, Read::all().backwards());
    backward.reverse();
    assert_eq!(backward, all_later);
}

/// What finding events has cost is told where an index was asked, and is nothing for a read of everything.
pub fn the_cost_of_finding_events_is_told<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for number in 0..20 {
        let event = event("a-1", "x").tag(tag(["x:1", "x:2"][number % 2]));
        put_event(&store, if number == 7 { event.tag(tag("y:1")) } else { event });
    }
    for (asked, count) in [
        (Read::stream(stream("a-1")), 20),
        (Read::query(query("tag=x:1")), 10),
        (Read::query(query("tag=y:1")), 1),
        (Read::query(query("tag=x:2")).backwards().limit(3), 3),
    ] {
        let mut cursor = store.read(asked.clone()).unwrap();
        let mut found = 0;
        while let Some(record) = cursor.next_record() {
            record.unwrap();
            found += 1;
        }
        let cost = cursor.explain();
        assert_eq!(found, count, "{asked:?}");
        assert!(cost.lists_read > 0 && cost.segments_asked > 0 && cost.records_touched >= count, "{asked:?}: {cost:?}");
    }
    let mut cursor = store.read(Read::all()).unwrap();
    while cursor.next_record().is_some() {}
    assert_eq!(cursor.explain(), Explanation::default());
}

/// Cursors that are dropped unread or half read leave the store as it was.
pub fn cursors_may_be_left_half_read<H: Harness>(harness: &H) {
    let store = harness.fresh();
    store.append(AppendRequest::new().events((0..2_000).map(|_| tagged("x:1", &"x".repeat(500))))).unwrap();
    for round in 0..60 {
        let asked = [Read::all(), Read::query(query("tag=x:1")), Read::all().backwards()][round % 3].clone();
        let mut cursor = store.read(asked).unwrap();
        for _ in 0..round {
            cursor.next_record().unwrap().unwrap();
        }
    }
    put_event(&store, tagged("x:1", "last"));
    assert_eq!(texts(&store, Read::all().backwards().limit(1)), ["last"]);
    assert_eq!(positions(&store, Read::all()).len(), 2_001);
}

/// Many cursors are read at once, in turns.
pub fn many_cursors_are_read_in_turns<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for number in 0..90 {
        put_event(&store, event(["a-1", "b-1", "c-1"][number % 3], &number.to_string()));
    }
    let names = ["a-1", "b-1", "c-1"];
    let mut cursors: Vec<_> =
        (0..30).map(|number| store.read(Read::stream(stream(names[number % 3]))).unwrap()).collect();
    for round in 0..30_u64 {
        for (number, cursor) in cursors.iter_mut().enumerate() {
            let record = cursor.next_record().unwrap().unwrap();
            assert_eq!(record.position().0, 3 * round + number as u64 % 3);
        }
    }
    assert!(cursors.iter_mut().all(|cursor| cursor.next_record().is_none()));
}

/// Readers on many threads see a prefix each, never shorter than the one before, while others append.
pub fn readers_beside_appends_see_ever_longer_prefixes<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let look_on = || {
        let mut last = Position::START;
        while last < Position(200) {
            let cursor = store.read(Read::all()).unwrap();
            let head = cursor.head();
            let shown = drain(cursor);
            assert!(head >= last && shown.iter().map(|event| event.position().0).eq(0..head.0));
            let of_stream = store.read(Read::stream(stream("a-1"))).unwrap();
            let later = of_stream.head();
            assert!(later >= head);
            let revisions = drain(of_stream).into_iter().map(|event| event.record().revision().unwrap().0);
            assert!(revisions.eq(0..later.0.div_ceil(2)));
            last = later;
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(look_on);
        }
        for number in 0..200 {
            put(&store, ["a-1", "b-1"][number % 2], &["x"]);
        }
    });
}
