//! Files that go away, or are voided, under those who read them, in a real directory: a reader finishes or is told, and the
//! process lives.

use crate::support::{request, small_options, stream, text, texts};
use crate::{child, snapshot_history::key};
use gesta::disk::RealDisk;
use gesta::{Durability, Position, Read, ReadError, Reader, Selection, Snapshot, Store, truncate_after};
use std::fs;
use std::path::Path;

/// A store of some segments.
fn filled_store(path: &Path) -> (Store, Vec<String>) {
    let store = Store::open(path, small_options()).unwrap();
    let expected: Vec<String> = (0..120).map(|number| format!("event {number} {}", "x".repeat(300))).collect();
    for data in &expected {
        store.append(request("a-1", &[data], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    // An opening states in the manifest what the log holds.
    (Store::open(path, small_options()).unwrap(), expected)
}

/// Every file that ends so, the segments first.
fn files(path: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.is_file() && file.to_string_lossy().ends_with(ending));
    files.sort();
    files
}

/// Ways to read the whole log: whether backwards, and how.
fn reads() -> [(bool, Read); 4] {
    [
        (false, Read::all()),
        (true, Read::all().backwards()),
        (false, Read::stream(stream("a-1"))),
        (true, Read::stream(stream("a-1")).backwards()),
    ]
}

/// Reads half of the log, lets `go_away` happen while it holds the next event, and finishes. Every event is the right one or
/// named as lost; returns how many are lost.
fn read_while(reader: &Reader, (is_backward, read): (bool, Read), expected: &[String], go_away: impl FnOnce()) -> u64 {
    let (half, mut found, mut lost) = (expected.len() / 2, 0, 0);
    let what = format!("{read:?}");
    let mut cursor = reader.read(read);
    let at = |ordinal: usize| &expected[if is_backward { expected.len() - 1 - ordinal } else { ordinal }];
    for ordinal in 0..half {
        assert_eq!(text(cursor.next_record().unwrap().unwrap()), *at(ordinal), "{what}");
    }
    let held = cursor.next_record().unwrap().unwrap();
    go_away();
    let held = (held.position(), text(held));
    found += half + 1;
    assert_eq!(held.1, expected[usize::try_from(held.0.0).unwrap()], "{what}");
    while let Some(record) = cursor.next_record() {
        match record {
            Ok(record) => {
                let position = usize::try_from(record.position().0).unwrap();
                assert_eq!(text(record), expected[position], "{what}: a wrong event");
                found += 1;
            }
            Err(ReadError::Damaged(damage)) => lost += damage.positions.end.since(damage.positions.start),
            Err(error) => panic!("{what}: {error:?}"),
        }
    }
    assert_eq!(found as u64 + lost, expected.len() as u64, "{what}: silently shorter");
    lost
}

#[test]
fn a_reader_finishes_segments_that_are_removed_under_it() {
    for ending in ["-0000.log", ""] {
        for is_beside in [true, false] {
            for read in reads() {
                let directory = tempfile::tempdir().unwrap();
                let (store, expected) = filled_store(directory.path());
                let reader = if is_beside { Reader::open(directory.path()).unwrap() } else { store.reader() };
                assert_eq!(reader.head().0, expected.len() as u64);
                let doomed = files(directory.path(), ending);
                assert!(files(directory.path(), ".log").len() > 3, "{doomed:?}");
                let lost = read_while(&reader, read, &expected, || {
                    for file in &doomed {
                        fs::remove_file(file).unwrap();
                    }
                });
                assert_eq!(lost, 0, "what was open can be read to its end");
                assert_eq!(files(directory.path(), ending), [""; 0].map(std::path::PathBuf::from));
                // Whoever comes later is told, and finds no empty store.
                match Reader::open(directory.path()) {
                    Ok(late) => assert!(!late.verify(false, &mut |_, _| {}).damage.is_empty()),
                    Err(error) => assert!(ending.is_empty(), "{error:?}"),
                }
            }
        }
    }
}

/// The segment that is cut is replaced: whoever has it open reads what it held.
#[test]
fn a_reader_finishes_what_another_process_cuts_off() {
    const KEPT: u64 = 20;
    if let Some(directory) = child::directory() {
        return truncate_after(&RealDisk::open(directory).unwrap(), Position(KEPT)).unwrap();
    }
    let name = "removed::a_reader_finishes_what_another_process_cuts_off";
    for read in reads() {
        let directory = tempfile::tempdir().unwrap();
        let (store, expected) = filled_store(directory.path());
        store.close().unwrap();
        let reader = Reader::open(directory.path()).unwrap();
        let segments = files(directory.path(), ".log").len();
        let lost = read_while(&reader, read, &expected, || child::run(name, directory.path()));
        assert_eq!(lost, 0, "what was open can be read to its end");
        assert!(segments - files(directory.path(), ".log").len() > 1, "more than one segment went away");
        let kept = &expected[..usize::try_from(KEPT).unwrap()];
        assert_eq!(texts(Reader::open(directory.path()).unwrap().read(Read::all())).unwrap(), kept);
    }
}

#[test]
fn a_snapshot_whose_file_is_removed_under_its_reader_is_whole_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let (store, expected) = filled_store(directory.path());
    let data = b"what was folded".to_vec();
    let snapshot = Snapshot { key: key("a-1"), schema: 1, position: Position(100), data: data.clone() };
    store.save_snapshot(&snapshot).unwrap();
    let beside = Reader::open(directory.path()).unwrap();
    let load = |reader: &Reader| reader.load(&key("a-1"), 1, Selection::Everything);
    let held = load(&beside);
    for file in files(directory.path(), ".snp") {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(held.snapshot.unwrap().data, data);
    assert_eq!(texts(held.events).unwrap(), expected[100..]);
    for reader in [beside, store.reader(), Reader::open(directory.path()).unwrap()] {
        let loaded = load(&reader);
        let from = loaded.snapshot.map_or(0, |snapshot| {
            assert_eq!(snapshot.data, data);
            100
        });
        assert_eq!(texts(loaded.events).unwrap(), expected[from..]);
    }
    store.save_snapshot(&snapshot).unwrap();
}
