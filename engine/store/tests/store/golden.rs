//! A store that version 1 of the format left behind, in `golden/1`: what is written today reads it, goes on in it, and writes
//! the same bytes.
//!
//! A new version of the format gets a directory of its own beside it; those that are there are never written again.

use crate::support::{small_options, stream};
use crate::versions::{SEGMENT_VERSION, VERSION, edit_manifest, edit_segment};
use gesta::codec::encode_record;
use gesta::disk::RealDisk;
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{
    AppendRequest, Durability, Event, EventType, OpenError, Options, Position, Query, Read, Reader, Revision,
    Selection, Snapshot, SnapshotKey, Store, Tag, Timestamp, Uuid, truncate_after,
};
use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use tempfile::TempDir;

const NAMES: [&str; 3] = ["order-1", "order-2", "käufer-1"];
/// Where the content of a record begins: after the checksums and the place.
const CONTENT: usize = 16;
/// How many requests were made before the end was cut off, where it was cut, and how many were made after it.
const BEFORE: u64 = 30;
const CUT: Position = Position(43);
const AFTER: u64 = 10;

/// A second goes by whenever somebody looks.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000_000_000, Ordering::Relaxed))
    }
}

struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn options() -> Options {
    let clock = Ticking(AtomicI64::new(1_700_000_000_000_000_000));
    let environment = Environment::new(clock, Counting(AtomicU8::new(0)));
    Options { segment_bytes_max: 8192, snapshot_bytes_max: 8192, index_event_ids: true, environment, ..small_options() }
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/golden/1")
}

fn id(number: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(number))
}

/// The event of this number: of every shape that there is.
fn event(number: u64) -> Event {
    let of_type = |name| Event::new(EventType::new(name).unwrap()).id(id(number));
    let event = of_type(if number.is_multiple_of(2) { "Placed" } else { "Paid" });
    let event = match NAMES.into_iter().zip(0..).find(|(_, which)| number % 4 == *which) {
        Some((name, _)) => event.stream(stream(name)),
        None => event,
    };
    let event = match number % 3 {
        0 => event.json(format!("{{\"number\":{number}}}")).metadata_json("{\"by\":\"golden\"}"),
        1 => event.data(format!("event {number} {}", "x".repeat(200))).metadata([0, 255, 7]),
        _ => event.time(Timestamp(1_600_000_000_123_456_789)),
    };
    (0..number % 3).fold(event, |event, tag| event.tag(Tag::new(format!("tag:{}", (number + tag) % 5)).unwrap()))
}

/// The request that begins with the event of this number.
fn request(events: Range<u64>) -> AppendRequest {
    AppendRequest::new().request_id(id(1_000_000 + events.start)).events(events.map(event))
}

/// Appends requests of one to three events; two of them become one batch now and then.
fn append(store: &Store, request_count: u64) {
    let mut first = store.reader().head().0;
    for number in 0..request_count {
        let events = first..first + number % 3 + 1;
        first = events.end;
        let durability = if number % 5 == 2 { Durability::Buffered } else { Durability::Durable };
        store.append(request(events).durability(durability)).unwrap();
    }
}

/// Lives the history of the golden store.
fn live(directory: &Path) {
    let options = options();
    let store = Store::open(directory, options.clone()).unwrap();
    append(&store, BEFORE);
    store.close().unwrap();
    truncate_after(&RealDisk::open(directory).unwrap(), CUT).unwrap();
    let store = Store::open(directory, options).unwrap();
    append(&store, AFTER);
    for (key, position) in [("order-1", 20), ("order-2", CUT.0)] {
        let data = format!("{key} at {position}").into_bytes();
        let key = SnapshotKey::new(key).unwrap();
        store.save_snapshot(&Snapshot { key, schema: 3, position: Position(position), data }).unwrap();
    }
    store.close().unwrap();
}

/// How many events it ends with.
fn event_count() -> u64 {
    CUT.0 + (0..AFTER).map(|request| request % 3 + 1).sum::<u64>()
}

/// A copy of it that a test may change.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for (name, bytes) in image(&golden()) {
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    copy
}

fn image(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect();
    files.sort();
    files
}

/// Every event is there, byte for byte, by every way to it, and so is what was kept beside the events.
fn check(reader: &Reader, appended: u64) {
    let count = event_count() + appended;
    let mut revisions: HashMap<String, u64> = HashMap::new();
    let (mut position, mut recorded_at, mut cursor) =
        (0, Timestamp(1_700_000_000_000_000_000), reader.read(Read::all()));
    while let Some(record) = cursor.next_record() {
        let record = record.unwrap();
        let mut expected = Vec::new();
        encode_record(&event(position), id(position), &mut expected);
        assert_eq!(record.position(), Position(position));
        assert_eq!(record.bytes()[CONTENT..], expected[CONTENT..record.bytes().len()], "position {position}");
        let revision = record.stream().map(|name| {
            let next = revisions.entry(name.to_owned()).or_default();
            *next += 1;
            Revision(*next - 1)
        });
        assert_eq!(record.revision(), revision, "position {position}");
        let taken = cursor.recorded_at().unwrap();
        assert!(taken >= recorded_at, "position {position}: {taken:?}");
        (position, recorded_at) = (position + 1, taken);
    }
    assert_eq!(position, count);
    let positions = |read: Read| {
        let (mut positions, mut cursor) = (Vec::new(), reader.read(read));
        while let Some(record) = cursor.next_record() {
            positions.push(record.unwrap().position().0);
        }
        positions
    };
    for (name, which) in NAMES.into_iter().zip(0..) {
        let expected: Vec<u64> = (0..count).filter(|number| number % 4 == which).collect();
        assert_eq!(positions(Read::stream(stream(name))), expected, "{name}");
    }
    let is_tagged = |number: &u64| (0..number % 3).any(|tag| (number + tag) % 5 == 2);
    let query = "tag=tag:2".parse::<Query>().unwrap();
    assert_eq!(positions(Read::query(query)), (0..count).filter(is_tagged).collect::<Vec<_>>());
    for number in 0..count {
        assert_eq!(reader.event(id(number)).unwrap().unwrap().position(), Position(number));
    }
    for (key, position) in [("order-1", 20), ("order-2", CUT.0)] {
        let loaded = reader.load(&SnapshotKey::new(key).unwrap(), 3, Selection::Everything);
        let snapshot = loaded.snapshot.unwrap();
        assert_eq!((snapshot.position.0, snapshot.data), (position, format!("{key} at {position}").into_bytes()));
    }
    let verified = reader.verify(true, &mut |_, _| {});
    assert_eq!((verified.events, verified.damage), (count, Vec::new()));
}

#[test]
fn a_store_that_version_1_left_is_read_and_written() {
    let copy = copy();
    let before = image(copy.path());
    check(&Reader::open(copy.path()).unwrap(), 0);
    assert!(before == image(copy.path()), "reading changes nothing");
    let index = Reader::open(copy.path()).unwrap().verify_index(&mut |_, _| {});
    assert!(index.damaged.is_empty() && index.missing.is_empty() && index.whole > 2, "its index is used: {index:?}");
    let mut appended = 0;
    for _ in 0..2 {
        let store = Store::open(copy.path(), options()).unwrap();
        assert!(!store.recovery().is_degraded, "{:?}", store.recovery());
        for _ in 0..20 {
            let number = event_count() + appended;
            store.append(request(number..number + 1)).unwrap();
            appended += 1;
        }
        check(&store.reader(), appended);
        store.close().unwrap();
    }
    check(&Reader::open(copy.path()).unwrap(), appended);
    // A request of that time that is made again is known.
    let store = Store::open(copy.path(), options()).unwrap();
    let receipt = store.append(request(1..3).since(Position::START)).unwrap();
    assert_eq!(receipt.positions, Position(1)..Position(3));
}

#[test]
fn a_store_that_version_1_left_needs_no_index_files() {
    let copy = copy();
    for (name, _) in image(copy.path()).iter().filter(|(name, _)| name.ends_with(".idx")) {
        fs::remove_file(copy.path().join(name)).unwrap();
    }
    assert!(Reader::open(copy.path()).unwrap().verify_index(&mut |_, _| {}).missing.len() > 2);
    check(&Store::open(copy.path(), options()).unwrap().reader(), 0);
}

/// Whoever goes back to the release that made the store reads what is written today.
#[test]
fn the_same_history_is_written_as_version_1_wrote_it() {
    let fresh = tempfile::tempdir().unwrap();
    live(fresh.path());
    let (written, golden) = (log_of(fresh.path()), log_of(&golden()));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&written), names(&golden));
    for ((name, written), (_, golden)) in written.iter().zip(&golden) {
        let differs = written.iter().zip(golden).position(|(one, other)| one != other);
        assert_eq!((differs, written.len()), (None, golden.len()), "{name}: a changed format is a new version");
    }
}

/// The files that everything else can be made of: not the index, and not a spare, which a store may have or not.
fn log_of(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = image(directory);
    files.retain(|(name, bytes)| {
        name.starts_with("manifest") || name.ends_with(".log") && bytes.iter().any(|byte| *byte != 0)
    });
    files
}

#[test]
fn a_store_of_version_1_that_says_2_is_refused_and_left_untouched() {
    let refuse = |copy: &TempDir, what: &str| {
        let before = image(copy.path());
        let written = Store::open(copy.path(), options()).err();
        let read = Reader::open(copy.path()).err();
        let cut = truncate_after(&RealDisk::open(copy.path()).unwrap(), CUT).unwrap_err();
        for refused in [written, read] {
            let Some(OpenError::Unsupported { what: said, .. }) = refused else { panic!("{what}: {refused:?}") };
            assert!(said.contains("version 2"), "{what}: {said}");
        }
        assert!(cut.to_string().contains("version 2"), "{what}: {cut}");
        assert!(before == image(copy.path()), "{what}: not one byte is changed");
    };
    let of_manifest = copy();
    for name in ["manifest", "manifest.copy"] {
        let path = of_manifest.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        edit_manifest(&mut bytes, VERSION, 2);
        fs::write(&path, bytes).unwrap();
        // One of them is enough.
        refuse(&of_manifest, name);
    }
    let mut segments = 0;
    for (name, mut bytes) in image(&golden()) {
        let is_spare = bytes.iter().all(|byte| *byte == 0);
        if name.ends_with(".log") && !is_spare {
            let of_segment = copy();
            edit_segment(&mut bytes, SEGMENT_VERSION, 2);
            fs::write(of_segment.path().join(&name), bytes).unwrap();
            refuse(&of_segment, &name);
            segments += 1;
        }
    }
    assert!(segments > 3, "{segments}");
}

#[test]
#[ignore = "writes the directory of a new version of the format, once"]
fn write_the_directory() {
    assert!(!golden().exists(), "a golden directory is never written again");
    fs::create_dir_all(golden()).unwrap();
    live(&golden());
}
