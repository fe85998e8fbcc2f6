//! Snapshots that are damaged, foreign or of another log are none; their files stay small.

use crate::snapshot_history::{KEYS, Promises, key, live, options};
use crate::support::{open, request, texts};
use gesta::codec::{HEADER_PAGE_BYTES, HEADERS_BYTES};
use gesta::disk::SimulatedDisk;
use gesta::{
    Durability, Position, Read, Reader, Selection, Snapshot, SnapshotError, Statistics, Store, truncate_after,
};

fn snapshot(name: &str, position: u64, data: impl Into<Vec<u8>>) -> Snapshot {
    Snapshot { key: key(name), schema: 1, position: Position(position), data: data.into() }
}

fn put(store: &Store<SimulatedDisk>, data: &[&str]) {
    store.append(request("a-1", data, Durability::Durable)).unwrap();
}

/// The data of the snapshot of a key.
fn loaded(reader: &Reader<SimulatedDisk>, name: &str) -> Option<Vec<u8>> {
    reader.load(&key(name), 1, Selection::Everything).snapshot.map(|snapshot| snapshot.data)
}

/// The files of snapshots, the older first.
fn files(disk: &SimulatedDisk) -> Vec<String> {
    let mut names: Vec<_> = disk.file_names().into_iter().filter(|name| name.ends_with(".snp")).collect();
    names.sort();
    names
}

fn bytes(statistics: &Statistics) -> u64 {
    statistics.snapshot_bytes
}

/// A store with snapshots in two files, closed.
fn closed_store() -> SimulatedDisk {
    let disk = SimulatedDisk::new(5);
    live(&disk, &mut Promises::default());
    let store = Store::open_on(disk.clone(), options()).unwrap();
    let head = store.reader().head().0;
    for (number, name) in KEYS.iter().cycle().take(9).enumerate() {
        store.save_snapshot(&snapshot(name, head, format!("{name} {}", "x".repeat(200 + number)))).unwrap();
    }
    store.close().unwrap();
    assert_eq!(files(&disk).len(), 2);
    disk
}

#[test]
fn a_flipped_bit_anywhere_costs_snapshots_and_never_makes_a_wrong_one() {
    let disk = closed_store();
    let expected: Vec<_> = {
        let store = Store::open_on(disk.fork(), options()).unwrap();
        KEYS.map(|name| loaded(&store.reader(), name)).into_iter().collect()
    };
    assert!(expected.iter().all(Option::is_some));
    let (mut lost, mut kept) = (0, 0);
    for name in files(&disk) {
        for offset in 0..disk.image(&name).len() as u64 {
            let disk = disk.fork();
            disk.flip_bit(&name, offset, (offset * 7 % 8) as u8);
            let reader = Reader::open_on(disk).unwrap();
            for (key, expected) in KEYS.into_iter().zip(&expected) {
                match loaded(&reader, key) {
                    // An earlier one of the same key may be the newest that is left.
                    Some(data) if data != *expected.as_ref().unwrap() => {
                        assert!(data.starts_with(format!("{key} ").as_bytes()), "{name} {offset}: {data:?}");
                        lost += 1;
                    }
                    Some(_) => kept += 1,
                    None => lost += 1,
                }
            }
        }
    }
    println!("{kept} snapshots were found beside the damage, {lost} were lost to it");
    assert!(lost > 1000 && kept > lost, "{kept} {lost}");
}

#[test]
fn what_is_no_file_of_this_store_and_version_is_removed_and_replaced() {
    let other = closed_store();
    let disk = SimulatedDisk::new(8);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    put(&store, &["0", "1", "2", "3", "4", "5"]);
    store.save_snapshot(&snapshot("a-1", 5, "own")).unwrap();
    store.close().unwrap();
    let own = files(&disk)[0].clone();
    let head = disk.image(&own)[..64].to_vec();
    let foreign = other.image(&files(&other)[0]);
    let of_another_version = [&head[..8], &[2], &head[9..]].concat();
    for (what, image) in [
        ("foreign", foreign),
        ("of another version", of_another_version),
        ("cut off", head[..20].to_vec()),
        ("empty", Vec::new()),
        ("zeros", vec![0; 4096]),
        ("noise", (0..4096_u32).map(|at| (at * at % 251) as u8).collect()),
    ] {
        let disk = disk.fork();
        disk.restore(&own, image);
        assert_eq!(loaded(&Reader::open_on(disk.clone()).unwrap(), "a-1"), None, "{what}");
        let store = Store::open_on(disk.clone(), options()).unwrap();
        assert!(!store.recovery().is_degraded);
        for name in KEYS {
            assert_eq!(loaded(&store.reader(), name), None, "{what}");
        }
        assert_eq!(files(&disk), Vec::<String>::new(), "{what}");
        store.save_snapshot(&snapshot("a-1", 2, "anew")).unwrap();
        assert_eq!(loaded(&store.reader(), "a-1").unwrap(), b"anew", "{what}");
    }
}

#[test]
fn a_file_that_cannot_be_read_costs_no_opening_and_no_load() {
    let disk = closed_store();
    let mut found = 0;
    for name in files(&disk) {
        let disk = disk.fork();
        disk.inject(gesta::disk::Fault::FailRead { file: name.clone(), range: 0..u64::MAX });
        let store = Store::open_on(disk.clone(), options()).unwrap();
        found += KEYS.into_iter().filter(|key| loaded(&store.reader(), key).is_some()).count();
        assert!(!files(&disk).contains(&name));
        store.save_snapshot(&snapshot("a-1", store.reader().head().0, "anew")).unwrap();
        assert_eq!(loaded(&store.reader(), "a-1").unwrap(), b"anew");
    }
    assert!(found > 0, "what the other file holds is found");
}

#[test]
fn a_snapshot_of_events_that_are_not_there_any_more_is_none() {
    let disk = SimulatedDisk::new(2);
    let store = open(&disk);
    put(&store, &["0", "1"]);
    put(&store, &["lost"]);
    store.save_snapshot(&snapshot("early", 2, "0 1")).unwrap();
    store.save_snapshot(&snapshot("late", 3, "0 1 lost")).unwrap();
    store.close().unwrap();
    let copy = disk.fork();
    truncate_after(&disk, Position(2)).unwrap();
    let store = open(&disk);
    assert_eq!(texts(store.read(Read::all())).unwrap(), ["0", "1"]);
    // Ahead of the log, and then beside another event in the same place.
    for _ in 0..2 {
        assert_eq!(loaded(&store.reader(), "early").unwrap(), b"0 1");
        assert_eq!(loaded(&store.reader(), "late"), None);
        let listed: Vec<_> = store.reader().snapshots("").into_iter().map(|info| info.key).collect();
        assert_eq!(listed, [key("early")]);
        put(&store, &["another", "and one more"]);
    }
    // What is no snapshot of this log stands in nobody's way.
    store.save_snapshot(&snapshot("late", 2, "0 1 again")).unwrap();
    assert_eq!(loaded(&store.reader(), "late").unwrap(), b"0 1 again");
    assert_eq!(loaded(&open(&copy).reader(), "late").unwrap(), b"0 1 lost");
}

// Without a chain from entry to entry, what stood behind a torn one came back once that was written over.
#[test]
fn what_stands_behind_a_torn_entry_never_comes_back() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    put(&store, &["0"]);
    for name in ["first", "second"] {
        store.save_snapshot(&snapshot(name, 1, "x")).unwrap();
    }
    store.close().unwrap();
    let name = files(&disk)[0].clone();
    disk.flip_bit(&name, 48 + 20, 3);
    let store = open(&disk);
    assert_eq!(store.reader().snapshots(""), []);
    assert_eq!(store.drop_snapshots("second").unwrap(), 0);
    store.save_snapshot(&snapshot("other", 1, "y")).unwrap();
    store.close().unwrap();
    let listed = |disk: &SimulatedDisk| {
        let infos = open(disk).reader().snapshots("").into_iter();
        infos.map(|info| info.key.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&disk), ["other"]);
}

#[test]
fn the_files_stay_within_their_bound_and_the_newest_snapshots_are_kept() {
    let disk = SimulatedDisk::new(4);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    put(&store, &["0"]);
    assert_eq!(bytes(&store.reader().statistics().unwrap()), 0);
    for number in 0..300_usize {
        let data = vec![1; number * 13 % 700];
        store.save_snapshot(&snapshot(&format!("k-{number}"), 1, data.clone())).unwrap();
        assert_eq!(loaded(&store.reader(), &format!("k-{number}")), Some(data));
        let told = bytes(&store.reader().statistics().unwrap());
        let held: usize = files(&disk).iter().map(|name| disk.image(name).len()).sum();
        assert_eq!(told, held as u64);
        assert!((1..=4096).contains(&told), "{told}");
    }
    let kept = store.reader().snapshots("").len();
    assert!((2..20).contains(&kept), "{kept}");
    let too_large = store.save_snapshot(&snapshot("k", 1, vec![0; 2000]));
    let Err(SnapshotError::TooLarge { bytes: 2000, max }) = too_large else { panic!("{too_large:?}") };
    store.save_snapshot(&snapshot("k", 1, vec![0; usize::try_from(max).unwrap()])).unwrap();
    assert_eq!(loaded(&store.reader(), "k").unwrap().len() as u64, max);
    store.close().unwrap();
    let none = gesta::Options { snapshot_bytes_max: 0, ..options() };
    let store = Store::open_on(disk, none).unwrap();
    let refused = store.save_snapshot(&snapshot("k", 1, ""));
    assert!(matches!(refused, Err(SnapshotError::TooLarge { max: 0, .. })), "{refused:?}");
    assert_eq!(loaded(&store.reader(), "k").unwrap().len() as u64, max);
}

#[test]
fn a_reader_of_another_process_sees_what_the_writer_saves_and_drops() {
    let disk = SimulatedDisk::new(6);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    put(&store, &["0"]);
    store.mark();
    let reader = Reader::open_on(disk.clone()).unwrap();
    assert_eq!(reader.snapshots(""), []);
    for number in 0..200_usize {
        let name = format!("k-{}", number % 7);
        store.save_snapshot(&snapshot(&name, 1, number.to_string())).unwrap();
        assert_eq!(loaded(&reader, &name).unwrap(), number.to_string().as_bytes());
        if number % 50 == 40 {
            store.drop_snapshots(if number == 90 { "" } else { &name }).unwrap();
            assert_eq!(loaded(&reader, &name), None);
        }
        assert_eq!(reader.snapshots("k"), store.reader().snapshots("k"));
    }
    assert_eq!(bytes(&reader.statistics().unwrap()), bytes(&store.reader().statistics().unwrap()));
}

#[test]
fn a_store_that_was_shut_saves_nothing_and_loads_what_the_next_one_saves() {
    let disk = SimulatedDisk::new(6);
    let first = open(&disk);
    put(&first, &["0"]);
    first.save_snapshot(&snapshot("a-1", 1, "first")).unwrap();
    first.shut().unwrap();
    assert_eq!(loaded(&first.reader(), "a-1").unwrap(), b"first");
    let second = open(&disk);
    second.save_snapshot(&snapshot("a-1", 1, "second")).unwrap();
    assert!(matches!(first.save_snapshot(&snapshot("a-1", 1, "late")), Err(SnapshotError::Closed)));
    assert!(matches!(first.drop_snapshots(""), Err(SnapshotError::Closed)));
    assert_eq!(loaded(&first.reader(), "a-1").unwrap(), b"second");
}

#[test]
fn a_degraded_store_keeps_its_snapshots_and_takes_none() {
    let disk = SimulatedDisk::new(6);
    let store = open(&disk);
    for number in 0..6 {
        put(&store, &[&number.to_string()]);
    }
    store.save_snapshot(&snapshot("a-1", 6, "all")).unwrap();
    store.close().unwrap();
    let segment = disk.file_names().into_iter().filter(|name| name.ends_with(".log")).min().unwrap();
    disk.flip_bit(&segment, (HEADER_PAGE_BYTES + HEADERS_BYTES) as u64, 1);
    let before = disk.image(&files(&disk)[0]);
    let store = open(&disk);
    assert!(store.recovery().is_degraded);
    assert!(matches!(store.save_snapshot(&snapshot("a-1", 6, "x")), Err(SnapshotError::ReadOnly)));
    assert!(matches!(store.drop_snapshots(""), Err(SnapshotError::ReadOnly)));
    assert_eq!(loaded(&store.reader(), "a-1").unwrap(), b"all");
    assert_eq!(disk.image(&files(&disk)[0]), before);
}
