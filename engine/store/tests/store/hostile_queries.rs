//! What people, and attackers, may ask: names that look alike, the widest queries, places where nothing can be, and the same
//! thing twice.

use crate::limits::refusal;
use crate::support::{event, open, request, small_options, stream, texts};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendError, AppendRequest, Durability, Event, EventType, ExpectedRevision, NameError, Options, Position, Query,
    QueryError, QueryItem, Read, RequestError, Revision, Store, StreamName, Tag, Uuid,
};
use std::collections::BTreeSet;

fn tag(text: &str) -> Tag {
    Tag::new(text).unwrap()
}

fn tagged(tags: &[&str], data: &str) -> AppendRequest {
    AppendRequest::new().event(tags.iter().fold(event("s-1", data), |event, text| event.tag(tag(text))))
}

fn count(store: &Store<SimulatedDisk>, query: Query) -> usize {
    texts(store.read(Read::query(query))).unwrap().len()
}

/// Names that differ as little as names can: in a digit, in case, in length, in what cannot be seen, in how it is composed.
fn similar_names() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = (0..1_500).map(|number| format!("order-{number}")).collect();
    names.extend((1..200).map(|length| "a".repeat(length)));
    names.extend((0..64).map(|bit| format!("bits-{:064b}", 1_u64 << bit)));
    let twins =
        ["Order-1", "order-01", "order-1 ", " order-1", "order-1\0", "order-1\u{200b}", "é", "e\u{301}", "ﬀ", "ff"];
    names.extend(twins.map(str::to_owned));
    names
}

#[test]
fn no_two_names_share_an_answer_however_much_they_look_alike() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let names = similar_names();
    for name in &names {
        let event = event(name, name).tag(tag(&format!("name:{}", name.replace(char::is_control, "control"))));
        store.append(AppendRequest::new().event(event).durability(Durability::Written)).unwrap();
    }
    store.close().unwrap();
    let files = disk.file_names().iter().filter(|name| name.ends_with(".idx")).count();
    let summaries = disk.file_names().iter().filter(|name| name.ends_with(".sum")).count();
    assert!(files > 8 && summaries > 0, "{files} index files and {summaries} summaries");
    let store = open(&disk);
    for name in &names {
        assert_eq!(texts(store.read(Read::stream(stream(name)))).unwrap(), [name.as_str()], "{name:?}");
        let own = tag(&format!("name:{}", name.replace(char::is_control, "control")));
        assert_eq!(count(&store, Query::from(QueryItem::new().tag(own))), 1, "{name:?}");
        assert_eq!(store.reader().stream_revision(&stream(name)).unwrap(), Some(Revision(0)), "{name:?}");
    }
    // A tag of the same text as a stream, and the other way round, is another name.
    assert_eq!(count(&store, Query::from(QueryItem::new().stream(StreamName::new("name:order-1").unwrap()))), 0);
    assert_eq!(count(&store, Query::from(QueryItem::new().event_type(EventType::new("order-1").unwrap()))), 0);
}

#[test]
fn a_tag_without_a_value_is_refused_by_name() {
    for text in ["order", ":1", "order:", ":"] {
        assert_eq!(Tag::new(text), Err(NameError::NotKeyValue { tag: text.to_owned() }));
    }
}

#[test]
fn ten_thousand_tags_are_refused_on_an_event_and_answered_in_a_query() {
    let store = open(&SimulatedDisk::new(1));
    store.append(tagged(&["n:0", "n:1"], "x")).unwrap();
    let tags: Vec<Tag> = (0..10_000).map(|number| tag(&format!("n:{number}"))).collect();
    let event = tags.iter().cloned().fold(event("s-1", "x"), Event::tag);
    let refused = refusal(&store, AppendRequest::new().event(event));
    assert_eq!(refused, RequestError::TooManyTags { ordinal: 0, count: 10_000, max: 255 });
    // All of them on one event: there is none, so nothing stands against an append.
    let all = Query::from(QueryItem { tags: tags.clone(), ..QueryItem::default() });
    assert_eq!(count(&store, all.clone()), 0);
    store.append(request("s-1", &["y"], Durability::Durable).unless(all, Position::START)).unwrap();
    // Twice the same tag is the same question.
    let same = Query::from(QueryItem { tags: vec![tag("n:1"); 10_000], ..QueryItem::default() });
    assert_eq!(count(&store, same), 1);
}

#[test]
fn a_query_without_items_or_with_ten_thousand_is_refused_and_the_widest_is_answered() {
    assert_eq!(Query::new([]), Err(QueryError::Empty));
    let items = |count: u64| (0..count).map(|number| QueryItem::new().tag(tag(&format!("n:{number}"))));
    assert_eq!(Query::new(items(10_000)), Err(QueryError::TooManyItems { count: 10_000, max: 1_000 }));
    let widest = Query::new(items(1_000)).unwrap();

    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    for number in 900..1_100 {
        store.append(tagged(&[&format!("n:{number}"), "n:950"], &number.to_string())).unwrap();
    }
    assert_eq!(count(&store, widest.clone()), 200);
    let unless = |after: u64| request("s-1", &["z"], Durability::Durable).unless(widest.clone(), Position(after));
    let Err(AppendError::Conflict(conflict)) = store.append(unless(0)) else { panic!("the query matches") };
    assert_eq!(conflict.head, Position(200));
    store.append(unless(200)).unwrap();
    // As many terms as all checks of a request may have, and one more.
    let types = |count: u64| {
        Query::from(QueryItem {
            types: (0..count).map(|number| EventType::new(format!("T{number}")).unwrap()).collect(),
            ..QueryItem::default()
        })
    };
    let with_types = |count: u64| AppendRequest::new().unless(types(count), Position::START);
    store.append(with_types(16_384)).unwrap();
    assert_eq!(refusal(&store, with_types(16_385)), RequestError::TooManyTerms { count: 16_385, max: 16_384 });
}

#[test]
fn a_condition_after_the_head_holds_and_never_wraps() {
    let store = open(&SimulatedDisk::new(1));
    store.append(request("s-1", &["0", "1", "2"], Durability::Durable)).unwrap();
    let mut head = 3;
    for after in [head, head + 1, u64::MAX - 1, u64::MAX] {
        for query in [Query::everything(), Query::from(QueryItem::new().stream(stream("s-1")))] {
            let after = Position(after.max(head));
            let request = request("s-1", &["next"], Durability::Durable).unless(query.clone(), after);
            let receipt = store.append(request).unwrap();
            assert_eq!(receipt.positions, Position(head)..Position(head + 1), "{query} after {after}");
            head += 1;
            // What was just appended is no longer beyond the head.
            let last = AppendRequest::new().unless(query, Position(head - 1));
            let Err(AppendError::Conflict(conflict)) = store.append(last) else { panic!("after {after}") };
            assert_eq!(conflict.head, Position(head));
        }
    }
}

/// Event ids are the caller's: only an expected revision or a request id makes a retry one.
#[test]
fn an_event_id_makes_a_retry_only_under_an_expected_revision() {
    let store = open(&SimulatedDisk::new(1));
    let same = || AppendRequest::new().event(event("s-1", "x").id(Uuid::from_u128(7)));
    assert_eq!(store.append(same()).unwrap().positions.start, Position(0));
    assert_eq!(store.append(same()).unwrap().positions.start, Position(1));
    let expected = || same().expect(stream("s-2"), ExpectedRevision::NoStream);
    let elsewhere = || AppendRequest::new().event(event("s-2", "x").id(Uuid::from_u128(7)));
    let first = elsewhere().expect(stream("s-2"), ExpectedRevision::NoStream);
    assert_eq!(store.append(first.clone()).unwrap().positions.start, Position(2));
    assert_eq!(store.append(first).unwrap().positions.start, Position(2), "a retry");
    // The same id, in another stream than the one that was expected, is none.
    assert!(matches!(store.append(expected()), Err(AppendError::Conflict(_))));
    assert_eq!(store.append(elsewhere()).unwrap().positions.start, Position(3));
}

#[test]
fn a_request_id_for_other_events_is_refused_wherever_the_first_ones_are() {
    let disk = SimulatedDisk::new(1);
    let options = Options { segment_bytes_max: 8192, ..small_options() };
    let store = Store::open_on(disk.clone(), options.clone()).unwrap();
    store.append(request("s-1", &["before"], Durability::Durable)).unwrap();
    let id = Uuid::from_u128(7);
    let named = |data: &str| request("s-1", &[data], Durability::Durable).request_id(id);
    store.append(named("x")).unwrap();
    let check = |store: &Store<SimulatedDisk>| {
        for _ in 0..2 {
            let Err(AppendError::RequestIdReused { id: told, first }) = store.append(named("y")) else {
                panic!("it asks for something else")
            };
            assert_eq!((told, first), (id, Position(1)));
        }
        assert_eq!(store.append(named("x")).unwrap().positions, Position(1)..Position(2));
    };
    check(&store);
    while !disk.file_names().iter().any(|name| name.ends_with(".sum")) {
        store.append(request("s-2", &[&"x".repeat(1500)], Durability::Durable)).unwrap();
    }
    check(&store);
    store.close().unwrap();
    for name in disk.file_names().iter().filter(|name| name.ends_with(".idx") || name.ends_with(".sum")) {
        disk.delete(name);
    }
    check(&Store::open_on(disk, options).unwrap());
}
