//! Appending and reading, without trouble.

use crate::support::{actual_revision, event, open, request, small_options, stream, texts};
use gesta::disk::SimulatedDisk;
use gesta::{
    AppendError, AppendRequest, Durability, ExpectedRevision, OpenError, Options, Position, Read, Reader, Revision,
    Store,
};

#[test]
fn events_come_back_in_both_directions_and_by_stream() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    for number in 0..200 {
        let name = if number % 3 == 0 { "three-1" } else { "other-1" };
        store.append(request(name, &[&format!("event {number}")], Durability::Durable)).unwrap();
    }
    let expected: Vec<String> = (0..200).map(|number| format!("event {number}")).collect();
    let threes: Vec<String> = (0..200).step_by(3).map(|number| format!("event {number}")).collect();
    let reversed = |list: &[String]| list.iter().rev().cloned().collect::<Vec<_>>();
    assert_eq!(texts(store.read(Read::all())).unwrap(), expected);
    assert_eq!(texts(store.read(Read::all().backwards())).unwrap(), reversed(&expected));
    assert_eq!(texts(store.read(Read::stream(stream("three-1")))).unwrap(), threes);
    assert_eq!(texts(store.read(Read::stream(stream("three-1")).backwards())).unwrap(), reversed(&threes));
    assert_eq!(texts(store.read(Read::all().from(Position(150)).limit(3))).unwrap(), expected[150..153]);
    assert_eq!(texts(store.read(Read::all().from(Position(2)).backwards())).unwrap(), reversed(&expected[..3]));
    assert_eq!(texts(store.read(Read::stream(stream("three-1")).from_revision(Revision(60)))).unwrap(), threes[60..]);
    assert_eq!(texts(store.read(Read::all().from(Position(200)))).unwrap(), Vec::<String>::new());
    assert_eq!(texts(store.read(Read::all().from(Position::MAX).backwards())).unwrap().len(), 200);
    assert_eq!(texts(store.read(Read::stream(stream("absent-1")))).unwrap(), Vec::<String>::new());

    store.close().unwrap();
    let store = open(&disk);
    assert!(store.recovery().closed_cleanly);
    assert_eq!(texts(store.read(Read::all())).unwrap(), expected);
    assert_eq!(texts(store.read(Read::stream(stream("three-1")).backwards())).unwrap(), reversed(&threes));
}

#[test]
fn a_failed_check_names_every_stream_and_the_head() {
    let store = open(&SimulatedDisk::new(1));
    store.append(request("a-1", &["x", "y"], Durability::Durable)).unwrap();
    let request = AppendRequest::new()
        .event(event("a-1", "z"))
        .expect(stream("a-1"), ExpectedRevision::NoStream)
        .expect(stream("a-1"), ExpectedRevision::Exactly(Revision(1)))
        .expect(stream("b-1"), ExpectedRevision::StreamExists)
        .expect(stream("b-1"), ExpectedRevision::Exactly(Revision(u64::MAX)));
    let Err(AppendError::Conflict(conflict)) = store.append(request) else { panic!("the checks do not hold") };
    assert_eq!(conflict.head, Position(2));
    let actual: Vec<_> = conflict.failed.iter().map(actual_revision).collect();
    assert_eq!(actual, [Some(Revision(1)), None, None]);
    assert_eq!(store.reader().head(), Position(2));
}

#[test]
fn receipts_tell_positions_revisions_and_durability() {
    let store = open(&SimulatedDisk::new(1));
    let several = AppendRequest::new().events([event("a-1", "1"), event("b-1", "2"), event("a-1", "3")]);
    let receipt = store.append(several).unwrap();
    assert_eq!(receipt.positions, Position(0)..Position(3));
    assert_eq!(receipt.revisions, [(stream("a-1"), Revision(1)), (stream("b-1"), Revision(0))]);
    assert_eq!((receipt.head, receipt.durability), (Position(3), Durability::Durable));

    let written = store.append(request("a-1", &["4"], Durability::Written)).unwrap();
    assert_eq!((written.head, written.durability), (Position(3), Durability::Written));
    let buffered = store.append(request("a-1", &["5"], Durability::Buffered)).unwrap();
    assert_eq!((buffered.head, buffered.durability), (Position(3), Durability::Buffered));
    assert_eq!(texts(store.read(Read::all())).unwrap().len(), 3);
    assert_eq!(texts(store.read(Read::all().unsynced())).unwrap(), ["1", "2", "3", "4", "5"]);
    store.sync().unwrap();
    assert_eq!(texts(store.read(Read::all())).unwrap().len(), 5);
}

#[test]
fn a_pure_check_appends_nothing() {
    let store = open(&SimulatedDisk::new(1));
    store.append(request("a-1", &["x"], Durability::Durable)).unwrap();
    let check = |expected| AppendRequest::new().expect(stream("a-1"), expected);
    let receipt = store.append(check(ExpectedRevision::StreamExists)).unwrap();
    assert_eq!(receipt.positions, Position(1)..Position(1));
    assert!(store.append(check(ExpectedRevision::NoStream)).is_err());
}

#[test]
fn tickets_are_answered_when_their_group_is() {
    let store = open(&SimulatedDisk::new(1));
    let tickets: Vec<_> = (0..40)
        .map(|number| store.submit(request("a-1", &[&number.to_string()], Durability::Durable)).unwrap())
        .collect();
    let positions: Vec<u64> = tickets.into_iter().map(|ticket| ticket.wait().unwrap().positions.start.0).collect();
    assert_eq!(positions, (0..40).collect::<Vec<_>>());
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    store.append(request("a-1", &["x"], Durability::Durable)).unwrap();
    assert!(matches!(Store::open(directory.path(), Options::default()), Err(OpenError::Locked { .. })));
    store.mark();
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(texts(reader.read(Read::all())).unwrap(), ["x"]);
    store.append(request("a-1", &["y"], Durability::Durable)).unwrap();
    store.close().unwrap();
    reader.refresh().unwrap();
    assert_eq!(texts(reader.read(Read::all())).unwrap(), ["x", "y"]);
    assert!(Store::open(directory.path(), Options::default()).is_ok());
}

#[test]
fn many_threads_and_tickets_share_commits() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                let name = format!("thread-{thread}");
                for number in 0..50 {
                    let expected = match number {
                        0 => ExpectedRevision::NoStream,
                        later => ExpectedRevision::Exactly(Revision(later - 1)),
                    };
                    let request = request(&name, &[&number.to_string()], Durability::Durable);
                    let receipt = store.append(request.expect(stream(&name), expected)).unwrap();
                    assert_eq!(receipt.revisions, [(stream(&name), Revision(number))]);
                    assert!(store.reader().head() >= receipt.positions.end);
                }
            });
        }
    });
    assert_eq!(store.reader().head(), Position(400));
    store.close().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    let seen = texts(reader.read(Read::stream(stream("thread-3")))).unwrap();
    assert_eq!(seen, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_large_request_gets_a_segment_that_holds_it() {
    let store = Store::open_on(SimulatedDisk::new(1), small_options()).unwrap();
    let large = "x".repeat(2000);
    for _ in 0..20 {
        store.append(request("a-1", &[&large], Durability::Durable)).unwrap();
    }
    assert!(matches!(
        store.append(request("a-1", &[&"x".repeat(2049)], Durability::Durable)),
        Err(AppendError::Request(_))
    ));
    assert_eq!(texts(store.read(Read::all())).unwrap().len(), 20);
}
