//! Every limit has a refusal of its own; what is within the limits is taken as it is, however hostile it looks.

use crate::damage::closed_store;
use crate::support::{event, open, request, small_options, stream, texts};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendError, AppendRequest, Durability, Event, EventType, ExpectedRevision, FailedCheck, Limits, NameError, Notice,
    Options, Position, Read, RequestError, Revision, Store, StreamName, Tag, Uuid,
};
use std::time::Duration;

pub(crate) fn refusal(store: &Store<SimulatedDisk>, request: AppendRequest) -> RequestError {
    let head = store.reader().head();
    let refused = match store.append(request) {
        Err(AppendError::Request(error)) => error,
        outcome => panic!("{outcome:?}"),
    };
    assert!(refused.to_string().contains(": "), "it says what to do: {refused}");
    assert_eq!(store.reader().head(), head, "nothing is appended");
    store.append(AppendRequest::new()).unwrap();
    refused
}

/// A store with limits that a test reaches at once.
fn narrow_store() -> Store<SimulatedDisk> {
    let limits = Limits { data_bytes_max: 10, metadata_bytes_max: 5, request_events_max: 3, request_bytes_max: 500 };
    Store::open_on(SimulatedDisk::new(1), Options { limits, ..small_options() }).unwrap()
}

#[test]
fn data_is_taken_up_to_its_limit() {
    let store = narrow_store();
    store.append(request("a-1", &[&"x".repeat(10)], Durability::Durable)).unwrap();
    let long = AppendRequest::new().events([event("a-1", "short"), event("a-1", &"x".repeat(11))]);
    assert_eq!(refusal(&store, long), RequestError::DataTooLong { ordinal: 1, bytes: 11, max: 10 });
}

#[test]
fn metadata_is_taken_up_to_its_limit() {
    let store = narrow_store();
    store.append(AppendRequest::new().event(event("a-1", "x").metadata("12345"))).unwrap();
    let long = AppendRequest::new().event(event("a-1", "x").metadata("123456"));
    assert_eq!(refusal(&store, long), RequestError::MetadataTooLong { ordinal: 0, bytes: 6, max: 5 });
}

#[test]
fn events_are_taken_up_to_their_limit_in_a_request() {
    let store = narrow_store();
    store.append(request("a-1", &["1", "2", "3"], Durability::Durable)).unwrap();
    let many = request("a-1", &["1", "2", "3", "4"], Durability::Durable);
    assert_eq!(refusal(&store, many), RequestError::TooManyEvents { count: 4, max: 3 });
}

#[test]
fn a_request_is_taken_up_to_its_limit_in_bytes() {
    let store = narrow_store();
    let name = "n".repeat(200);
    store.append(request(&name, &["x"], Durability::Durable)).unwrap();
    let refused = refusal(&store, request(&name, &["x", "y"], Durability::Durable));
    assert!(matches!(refused, RequestError::TooLarge { bytes: 501.., max: 500 }), "{refused:?}");
}

#[test]
fn a_million_empty_events_are_refused_as_one_request_and_taken_as_eleven() {
    let options = Options { upkeep: gesta::Upkeep::Inline, ..Options::default() };
    let store = Store::open_on(SimulatedDisk::new(1), options).unwrap();
    let empty = Event::new(EventType::new("E").unwrap());
    let million = AppendRequest::new().events(vec![empty.clone(); 1_000_000]);
    assert_eq!(refusal(&store, million), RequestError::TooManyEvents { count: 1_000_000, max: 100_000 });
    for _ in 0..10 {
        let request = AppendRequest::new().events(vec![empty.clone(); 100_000]);
        store.append(request.durability(Durability::Written)).unwrap();
    }
    assert_eq!(store.append(AppendRequest::new().event(empty)).unwrap().positions.start, Position(1_000_000));
}

#[test]
fn the_format_bounds_what_the_widest_limits_allow() {
    let limits = Limits {
        data_bytes_max: usize::MAX,
        metadata_bytes_max: usize::MAX,
        request_events_max: usize::MAX,
        request_bytes_max: usize::MAX,
    };
    let options = Options { limits, upkeep: gesta::Upkeep::Inline, ..Options::default() };
    let store = Store::open_on(SimulatedDisk::new(1), options).unwrap();
    let huge = |bytes: usize| Event::new(EventType::new("E").unwrap()).data(vec![0; bytes]);
    let refused = refusal(&store, AppendRequest::new().event(huge(49 << 20)));
    assert!(matches!(refused, RequestError::DataTooLong { .. }), "{refused:?}");
    let refused = refusal(&store, AppendRequest::new().event(huge(48 << 20)));
    assert!(matches!(refused, RequestError::TooLarge { .. }), "{refused:?}");
    let refused = refusal(&store, AppendRequest::new().events([huge(40 << 20), huge(40 << 20)]));
    assert!(matches!(refused, RequestError::TooLarge { .. }), "{refused:?}");
    store.append(AppendRequest::new().event(huge(40 << 20))).unwrap();
}

#[test]
fn names_are_taken_up_to_their_limits() {
    StreamName::new("s".repeat(1024)).unwrap();
    let refused = StreamName::new("s".repeat(1025)).unwrap_err();
    assert!(matches!(refused, NameError::TooLong { bytes: 1025, max: 1024, .. }), "{refused:?}");
    let refused = StreamName::new("s".repeat(64 << 10)).unwrap_err();
    assert!(matches!(refused, NameError::TooLong { bytes: 65_536, max: 1024, .. }), "{refused:?}");
    assert!(matches!(StreamName::new("").unwrap_err(), NameError::Empty { .. }));
    EventType::new("t".repeat(255)).unwrap();
    assert!(matches!(EventType::new("t".repeat(256)).unwrap_err(), NameError::TooLong { max: 255, .. }));
    assert!(matches!(EventType::new("").unwrap_err(), NameError::Empty { .. }));
    // The length is that of the bytes, not of the characters.
    assert!(StreamName::new("ß".repeat(512)).is_ok() && StreamName::new("ß".repeat(513)).is_err());
}

#[test]
fn tags_are_taken_up_to_their_limit() {
    let store = open(&SimulatedDisk::new(1));
    let tagged = |count: usize| {
        let tags = (0..count).map(|number| Tag::new(format!("t:{number}")).unwrap());
        AppendRequest::new().event(tags.fold(event("a-1", "x"), Event::tag))
    };
    store.append(tagged(255)).unwrap();
    assert_eq!(refusal(&store, tagged(256)), RequestError::TooManyTags { ordinal: 0, count: 256, max: 255 });
}

#[test]
fn an_id_of_zeros_is_no_id() {
    let store = open(&SimulatedDisk::new(1));
    let nil = AppendRequest::new().event(event("a-1", "x").id(Uuid::nil()));
    assert_eq!(refusal(&store, nil), RequestError::NilId { ordinal: 0 });
}

#[test]
fn an_id_that_is_given_twice_is_stored_twice() {
    let store = open(&SimulatedDisk::new(1));
    let id = Uuid::from_u128(7);
    let twice = || AppendRequest::new().events([event("a-1", "x").id(id), event("a-1", "y").id(id)]);
    store.append(twice()).unwrap();
    store.append(twice()).unwrap();
    let mut cursor = store.read(Read::all());
    let mut ids = Vec::new();
    while let Some(record) = cursor.next_record() {
        ids.push(record.unwrap().id());
    }
    assert_eq!(ids, [id; 4]);
}

#[test]
fn expected_revisions_at_the_edges_are_judged_exactly() {
    let store = open(&SimulatedDisk::new(1));
    store.append(request("a-1", &["0", "1", "2"], Durability::Durable)).unwrap();
    for (revision, holds) in [(0, false), (1, false), (2, true), (3, false), (u64::MAX - 1, false), (u64::MAX, false)] {
        let expected = ExpectedRevision::Exactly(Revision(revision));
        let outcome = store.append(AppendRequest::new().expect(stream("a-1"), expected));
        match outcome {
            Ok(_) => assert!(holds, "{revision}"),
            Err(AppendError::Conflict(conflict)) => {
                assert!(!holds, "{revision}");
                let failed = FailedCheck::Stream { stream: stream("a-1"), expected, actual: Some(Revision(2)) };
                assert_eq!(conflict.failed, [failed]);
            }
            Err(error) => panic!("{revision}: {error:?}"),
        }
        let absent = store.append(AppendRequest::new().expect(stream("b-1"), expected));
        let Err(AppendError::Conflict(conflict)) = absent else { panic!("{revision}: {absent:?}") };
        assert!(matches!(conflict.failed[0], FailedCheck::Stream { actual: None, .. }), "{conflict}");
    }
}

/// What people, and attackers, call things.
const HOSTILE: [&str; 9] = [
    "../../etc/passwd",
    "/etc/passwd",
    ".",
    "nul\0inside",
    "line\nbreak \u{1b}[31mred\u{1b}[0m",
    "\u{202e}right to left",
    "zero\u{200b}width",
    "lock",
    "0000000001-0000.log",
];

#[test]
fn hostile_names_are_opaque_and_never_become_files() {
    let directory = tempfile::tempdir().unwrap();
    let options = || Options { upkeep: gesta::Upkeep::Inline, ..small_options() };
    let store = Store::open(directory.path().join("store"), options()).unwrap();
    let longest = "é".repeat(512);
    let names: Vec<&str> = HOSTILE.into_iter().chain([longest.as_str()]).collect();
    for name in &names {
        store.append(request(name, &["1", "2"], Durability::Durable)).unwrap();
        let clash = AppendRequest::new().expect(stream(name), ExpectedRevision::NoStream);
        let refused = store.append(clash).unwrap_err().to_string();
        let is_raw = refused.chars().any(|character| character.is_control() || "\u{202e}\u{200b}".contains(character));
        assert!(!is_raw, "a message that can deceive: {refused:?}");
    }
    store.close().unwrap();
    let store = Store::open(directory.path().join("store"), options()).unwrap();
    for name in &names {
        assert_eq!(texts(store.read(Read::stream(stream(name)))).unwrap(), ["1", "2"], "{name:?}");
    }
    let entries =
        |path| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(entries(directory.path().to_owned()).collect::<Vec<_>>(), ["store"]);
    let is_named = |name: &String| name == "lock" || name == "reserve" || name.starts_with("manifest");
    let is_ours = |name: &String| is_named(name) || name.starts_with("00000000");
    assert!(entries(directory.path().join("store")).all(|name| is_ours(&name)));
}

#[test]
fn reads_from_beyond_the_head_end_and_never_wrap() {
    let (disk, expected) = closed_store();
    let store = open(&disk);
    let head = store.reader().head();
    let read = |read: Read| texts(store.read(read)).unwrap();
    for from in [head, head.plus(1), Position(u64::MAX - 1), Position::MAX] {
        assert!(read(Read::all().from(from)).is_empty(), "{from}");
        assert!(read(Read::stream(stream("a-1")).from(from)).is_empty(), "{from}");
        assert_eq!(read(Read::all().from(from).backwards()).len(), expected.len(), "{from}");
        assert_eq!(read(Read::all().from(from).backwards().limit(1)), expected[expected.len() - 1..], "{from}");
        assert_eq!(read(Read::stream(stream("a-1")).from(from).backwards()).len(), expected.len(), "{from}");
        let mut subscription = store.subscribe(Read::all().from(from));
        assert!(matches!(subscription.next(Duration::ZERO).unwrap(), Notice::CaughtUp(position) if position == from));
        assert!(matches!(subscription.next(Duration::ZERO).unwrap(), Notice::TimedOut(position) if position == from));
        assert_eq!(subscription.position(), from);
    }
    for from in [Revision(expected.len() as u64), Revision(u64::MAX)] {
        assert!(read(Read::stream(stream("a-1")).from_revision(from)).is_empty(), "{from}");
        assert_eq!(read(Read::stream(stream("a-1")).from_revision(from).backwards()).len(), expected.len(), "{from}");
    }
    assert!(read(Read::all().limit(0)).is_empty());
    assert_eq!(read(Read::all().from(Position::START).backwards()), expected[..1]);
}
