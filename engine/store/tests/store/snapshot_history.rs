//! A life in which snapshots are saved, loaded and dropped while everything fails that can.
//!
//! Each snapshot says in its data what it holds, so that a wrong one is known by itself.

use crate::support::{event, small_options};
use gesta::disk::{CrashPlan, Fault, SimulatedDisk};
use gesta::{
    AppendRequest, Durability, EventReader, Options, Position, Read, Selection, Snapshot, SnapshotError, SnapshotKey,
    Store,
};
use std::collections::BTreeMap;
use std::io::ErrorKind;

pub(crate) const KEYS: [&str; 4] = ["a-1", "a-2", "b-1", "b-22"];

/// Two files of 2 KiB: they take turns all the time.
pub(crate) fn options() -> Options {
    Options { snapshot_bytes_max: 4096, ..small_options() }
}

/// When the power may be off.
const LIVING: &str = "while it lives";

pub(crate) fn key(text: &str) -> SnapshotKey {
    SnapshotKey::new(text).unwrap()
}

/// The data of all events below a position, folded; `None` when the power is off.
fn fold(store: &Store<SimulatedDisk>, position: Position) -> Option<u64> {
    let mut cursor = store.read(Read::all().until(position));
    let mut folded = 0_u64;
    while let Some(record) = cursor.next_record() {
        for byte in record.ok()?.data().bytes() {
            folded = folded.wrapping_mul(31).wrapping_add(u64::from(*byte));
        }
    }
    Some(folded)
}

/// What was promised.
#[derive(Default)]
pub(crate) struct Promises {
    /// The number of the last snapshot of each key that was dropped for good.
    dropped: BTreeMap<&'static str, u64>,
    /// How many snapshots were made.
    number: u64,
    /// How many loads gave one.
    pub(crate) found: u64,
}

impl Promises {
    /// Saves a snapshot of what can be read.
    fn save(&mut self, store: &Store<SimulatedDisk>, name: &str) {
        self.number += 1;
        let head = store.reader().head();
        // Some are of an earlier position.
        let position = Position(head.0.saturating_sub(self.number % 3));
        let filling = "x".repeat(usize::try_from(self.number * 71 % 300).unwrap());
        let Some(folded) = fold(store, position) else { return };
        let data = format!("{name} {} {} {folded} {filling}", position.0, self.number);
        let snapshot = Snapshot { key: key(name), schema: 1, position, data: data.into_bytes() };
        match store.save_snapshot(&snapshot) {
            Ok(()) | Err(SnapshotError::Storage { .. } | SnapshotError::ReadOnly) => {}
            outcome => panic!("{outcome:?}"),
        }
    }

    fn drop_all(&mut self, store: &Store<SimulatedDisk>, prefix: &str) {
        let keys = KEYS.into_iter().filter(|key| key.starts_with(prefix));
        match store.drop_snapshots(prefix) {
            Ok(_) => self.dropped.extend(keys.map(|key| (key, self.number))),
            Err(SnapshotError::Storage { .. } | SnapshotError::ReadOnly) => {}
            outcome => panic!("{outcome:?}"),
        }
    }

    /// Each key has a snapshot that was saved since it was dropped, and is right; or none.
    pub(crate) fn hold(&mut self, store: &Store<SimulatedDisk>, what: &str) {
        for name in KEYS {
            let loaded = store.reader().load(&key(name), 1, Selection::Everything);
            let position = loaded.snapshot.as_ref().map_or(Position::START, |snapshot| snapshot.position);
            let mut events = loaded.events;
            let first = events.next_record().transpose().map(|first| first.map(|record| record.position()));
            let (Ok(first), Some(folded)) = (first, fold(store, position)) else {
                assert_eq!(what, LIVING, "the power is on and the log whole");
                return;
            };
            assert!(first.is_none_or(|first| first == position), "{what}: the first event after");
            let Some(snapshot) = loaded.snapshot else { continue };
            let text = String::from_utf8(snapshot.data).unwrap();
            let parts: Vec<&str> = text.split(' ').collect();
            let number: u64 = parts[2].parse().unwrap();
            let right = [name.to_owned(), position.0.to_string(), number.to_string(), folded.to_string()];
            assert_eq!(parts[..4], right, "{what}: a wrong snapshot");
            assert!(number > self.dropped.get(name).copied().unwrap_or(0), "{what}: {name} was dropped");
            self.found += 1;
        }
    }
}

fn append(store: &Store<SimulatedDisk>, number: u64, durability: Durability) -> bool {
    let request = AppendRequest::new().event(event("a-1", &number.to_string())).durability(durability);
    store.append(request).is_ok()
}

/// Lives until the fault has struck or everything was done; returns how many steps were made.
pub(crate) fn live(disk: &SimulatedDisk, promises: &mut Promises) {
    for life in 0..3 {
        let Ok(store) = Store::open_on(disk.clone(), options()) else { return };
        for step in 0..14_u64 {
            let durability = if step % 4 == 1 { Durability::Written } else { Durability::Durable };
            append(&store, life * 100 + step, durability);
            promises.save(&store, KEYS[usize::try_from(step % 4).unwrap()]);
            promises.hold(&store, LIVING);
            match (life, step) {
                (0, 9) | (1, 4) => promises.drop_all(&store, "a-"),
                (1, 11) => promises.drop_all(&store, "b-2"),
                (2, 6) => promises.drop_all(&store, ""),
                _ => {}
            }
        }
        if life % 2 == 0 {
            let _ = store.close();
        }
    }
}

/// After the end: what was promised holds, in this life and after one more append and save.
pub(crate) fn survives(disk: &SimulatedDisk, promises: &mut Promises, what: &str) {
    for _ in 0..2 {
        let store = Store::open_on(disk.clone(), options()).unwrap();
        promises.hold(&store, what);
        assert!(append(&store, 7, Durability::Durable), "{what}");
        for name in KEYS {
            promises.save(&store, name);
            promises.hold(&store, what);
        }
        assert_eq!(store.head().unwrap(), store.reader().head());
        store.close().unwrap();
    }
}

/// Lives with the fault at each moment and then through a power cut; returns how many moments there are.
fn sweep(fault: impl Fn(u64) -> Fault, count: impl Fn(&SimulatedDisk) -> u64) -> (u64, u64) {
    let mut found = 0;
    for moment in 1.. {
        let disk = SimulatedDisk::new(moment);
        let mut promises = Promises::default();
        disk.inject(fault(moment));
        live(&disk, &mut promises);
        let is_over = count(&disk) < moment;
        disk.clear_faults();
        disk.power_cut(&CrashPlan::random(moment));
        survives(&disk, &mut promises, &format!("{:?}", fault(moment)));
        found += promises.found;
        if is_over {
            return (moment - 1, found);
        }
    }
    unreachable!("a life has an end")
}

#[test]
fn power_that_fails_at_any_call_leaves_an_old_snapshot_a_new_one_or_none() {
    let (calls, found) = sweep(|call| Fault::PowerFailsAt { call }, SimulatedDisk::calls);
    println!("the power failed at {calls} calls, {found} snapshots were loaded");
    assert!(calls > 200 && found > calls * 4, "{calls} {found}");
}

#[test]
fn a_call_that_fails_costs_snapshots_and_nothing_else() {
    for (kind, persistent) in [(ErrorKind::Other, false), (ErrorKind::StorageFull, true)] {
        let (calls, found) = sweep(|call| Fault::FailCall { call, kind, persistent }, SimulatedDisk::calls);
        println!("{calls} calls failed with {kind}, {found} snapshots were loaded");
        assert!(calls > 200 && found > calls * 4, "{calls} {found}");
    }
}

#[test]
fn a_sync_or_a_write_that_fails_brings_no_wrong_and_no_dropped_snapshot_back() {
    let (syncs, found) = sweep(|sync| Fault::FailSync { sync, persistent: false }, SimulatedDisk::syncs);
    assert!(syncs > 40 && found > syncs * 4, "{syncs} {found}");
    let (writes, found) = sweep(|write| Fault::ShortWrite { write }, SimulatedDisk::writes);
    assert!(writes > 80 && found > writes * 4, "{writes} {found}");
}
