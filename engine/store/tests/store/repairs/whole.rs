//! In real directories: what a program calls.

use crate::support::{request, small_options, stream, texts};
use gesta::{
    BackupError, Durability, OpenError, Position, Read, Reader, RepairError, Selection, Snapshot, SnapshotKey, Store,
    backup, repair,
};
use std::fs;

#[test]
fn a_directory_is_repaired_into_another_one_that_is_made_and_taken_away_if_nothing_comes_of_it() {
    let ground = tempfile::tempdir().unwrap();
    let path = |name: &str| ground.path().join(name);
    let store = Store::open(path("store"), small_options()).unwrap();
    for number in 0..100 {
        store.append(request("s", &[&format!("{number:0500}")], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    let run = |from: &str, into: &str| repair(path(from), path(into), &mut |_, _| {});
    // Nothing is damaged.
    assert_eq!(run("store", "new").unwrap().made, None);
    assert!(!path("new").exists());
    assert!(matches!(run("nowhere", "new"), Err(RepairError::Open(OpenError::NotFound { .. }))));
    assert!(!path("new").exists() && !path("nowhere").exists());

    fs::remove_file(path("store/0000000002-0000.log")).unwrap();
    fs::create_dir_all(path("notes/mine")).unwrap();
    assert!(matches!(run("store", "notes"), Err(RepairError::NotEmpty { .. })));
    assert!(matches!(run("store", "store"), Err(RepairError::NotEmpty { .. })));
    let report = run("store", "new").unwrap();
    assert!(report.made.is_some() && report.missing > 5 && report.in_streams == report.missing, "{report:?}");
    let reader = Reader::open(path("new")).unwrap();
    assert_eq!((reader.head(), reader.verify(true, &mut |_, _| {}).damage), (Position(100), vec![]));
    assert_eq!(texts(reader.read(Read::stream(stream("s")))).unwrap().len(), 100);
}

#[test]
fn the_new_store_is_another_one_to_whatever_belongs_to_the_old_one() {
    let ground = tempfile::tempdir().unwrap();
    let path = |name: &str| ground.path().join(name);
    let store = Store::open(path("store"), small_options()).unwrap();
    store.append(request("s", &["one"], Durability::Durable)).unwrap();
    let key = SnapshotKey::new("s").unwrap();
    store.save_snapshot(&Snapshot { key: key.clone(), schema: 1, position: Position(1), data: vec![1] }).unwrap();
    for _ in 0..100 {
        store.append(request("s", &[&"x".repeat(500)], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    backup(path("store"), path("backup"), &mut |_, _| {}).unwrap();
    fs::remove_file(path("store/0000000002-0000.log")).unwrap();
    repair(path("store"), path("new"), &mut |_, _| {}).unwrap();

    let refused = backup(path("new"), path("backup"), &mut |_, _| {});
    assert!(matches!(refused, Err(BackupError::OtherStore { .. })), "{refused:?}");
    // A segment of the old store in the new one is refused, and so would be one of the new in the old.
    fs::copy(path("store/0000000003-0000.log"), path("new/0000000003-0000.log")).unwrap();
    assert!(matches!(Reader::open(path("new")), Err(OpenError::Foreign { .. })));
    // A snapshot is folded anew, also where its file is carried over.
    repair(path("store"), path("newer"), &mut |_, _| {}).unwrap();
    let snapshots = fs::read_dir(path("store")).unwrap().map(|entry| entry.unwrap().file_name());
    let snapshots = snapshots.filter(|name| name.to_str().unwrap().ends_with(".snp")).collect::<Vec<_>>();
    assert_eq!(snapshots.len(), 1);
    let load = |name: &str| Reader::open(path(name)).unwrap().load(&key, 1, Selection::Everything).snapshot;
    assert!(load("store").is_some() && load("newer").is_none());
    fs::copy(path("store").join(&snapshots[0]), path("newer").join(&snapshots[0])).unwrap();
    assert_eq!(load("newer"), None);
}
