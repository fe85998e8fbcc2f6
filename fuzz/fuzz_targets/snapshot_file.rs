//! Whatever stands where snapshots are kept, a store opens, and what it loads is what was saved under that key, or nothing.
//! Checks that were made true yield what they cover and no more. Snapshots are taken again afterwards.
#![no_main]

use gesta::disk::SimulatedDisk;
use gesta::{Position, Selection, Snapshot, SnapshotKey, Store};
use gesta_fuzz::{KEY, append, files, mutations, options};
use libfuzzer_sys::fuzz_target;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::sync::LazyLock;

const EVENT_COUNT: u64 = 20;
const KEYS: [&str; 3] = ["a-1", "a-22", "b"];
/// Saved of each key, one after another.
const ROUNDS: u64 = 3;
/// Bytes of a file before its entries, and of an entry before its name.
const FILE_HEAD_BYTES: usize = 48;
const ENTRY_HEAD_BYTES: usize = 72;

fn key(text: &str) -> SnapshotKey {
    SnapshotKey::new(text).expect("a good key")
}

fn snapshot(name: &str, round: u64) -> Snapshot {
    let data = format!("{name} {round} {}", "y".repeat(name.len() * 40));
    Snapshot { key: key(name), schema: 1, position: Position(EVENT_COUNT - ROUNDS + round), data: data.into_bytes() }
}

static WHOLE: LazyLock<SimulatedDisk> = LazyLock::new(|| {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).expect("a new store");
    append(&store, 0..EVENT_COUNT);
    for round in 0..ROUNDS {
        KEYS.iter().for_each(|name| store.save_snapshot(&snapshot(name, round)).expect("a good disk"));
    }
    store.close().expect("a good disk");
    assert_eq!(files(&disk, ".snp").len(), 1);
    disk
});

fuzz_target!(|input: &[u8]| {
    let Some((flags, bytes)) = input.split_first() else { return };
    let disk = WHOLE.fork();
    let name = &files(&disk, ".snp")[0];
    let mut image = disk.image(name);
    match flags & 3 {
        0 => mutations(bytes).for_each(|mutation| drop(mutation.apply(&mut image))),
        1 => image = bytes.to_vec(),
        2 => {
            image.truncate(FILE_HEAD_BYTES);
            image.extend(bytes);
        }
        _ => {
            image.truncate(FILE_HEAD_BYTES);
            image.extend(bytes);
            forge(&mut image);
        }
    }
    let length = image.len();
    disk.restore(name, image);
    check(&disk, flags & 3 == 3, length);
});

fn check(disk: &SimulatedDisk, is_forged: bool, length: usize) {
    let store = Store::open_on(disk.clone(), options()).expect("snapshots are never in the way of an opening");
    assert!(!store.recovery().is_degraded);
    let reader = store.reader();
    for name in KEYS {
        let loaded = reader.load(&key(name), 1, Selection::Everything).snapshot;
        let Some(loaded) = loaded else { continue };
        assert!(loaded.position <= reader.head() && loaded.data.len() < length);
        assert!(is_forged || (0..ROUNDS).any(|round| loaded == snapshot(name, round)), "never saved: {loaded:?}");
    }
    for info in reader.snapshots("") {
        let loaded = reader.load(&info.key, info.schema, Selection::Everything).snapshot;
        assert!(is_forged || loaded.is_none_or(|loaded| loaded.position == info.position), "{info:?}");
    }
    let anew = Snapshot { position: reader.head(), data: b"anew".to_vec(), ..snapshot(KEYS[0], 0) };
    store.save_snapshot(&anew).expect("a good disk");
    assert_eq!(reader.load(&key(KEYS[0]), 1, Selection::Everything).snapshot, Some(anew.clone()));
    store.close().expect("a good disk");
    let store = Store::open_on(disk.clone(), options()).expect("it was opened before");
    assert_eq!(store.reader().load(&key(KEYS[0]), 1, Selection::Everything).snapshot, Some(anew));
}

/// Makes the checks of the entries true, each of which continues the one before, and those of their data.
fn forge(image: &mut [u8]) {
    let mut before: [u8; 8] = image[FILE_HEAD_BYTES - 8..FILE_HEAD_BYTES].try_into().expect("eight bytes");
    let mut at = FILE_HEAD_BYTES;
    while let Some(entry) = image.get_mut(at..).filter(|entry| entry.len() >= ENTRY_HEAD_BYTES) {
        let number = |entry: &[u8], at: usize| u32::from_le_bytes(*entry[at..].first_chunk().expect("in the head"));
        let name_bytes = number(entry, 56) as usize;
        let data_start = ENTRY_HEAD_BYTES.saturating_add(name_bytes.next_multiple_of(8));
        let data_bytes = number(entry, 40) as usize;
        if let Some(data) = entry.get(data_start..data_start.saturating_add(data_bytes)) {
            let check = hash(&[data]);
            entry[48..56].copy_from_slice(&check);
        }
        let Some(name) = entry.get(ENTRY_HEAD_BYTES..ENTRY_HEAD_BYTES.saturating_add(name_bytes)) else { return };
        before = hash(&[&before, &entry[..ENTRY_HEAD_BYTES - 8], name]);
        entry[ENTRY_HEAD_BYTES - 8..ENTRY_HEAD_BYTES].copy_from_slice(&before);
        at += data_start.saturating_add(data_bytes.next_multiple_of(8));
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 8] {
    let mut hasher = SipHasher13::new_with_key(&KEY.0);
    parts.iter().for_each(|part| hasher.write(part));
    hasher.finish().to_le_bytes()
}
