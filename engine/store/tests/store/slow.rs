//! A disk that takes its time, or does not answer at all: appends wait, memory stays bounded, reads go on.

use crate::support::{event, request, small_options, stream, texts};
use gesta::disk::SimulatedDisk;
use gesta::{AppendRequest, Durability, Options, Position, Read, Store, Upkeep};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const STAGING_BYTES_MAX: usize = 4096;

/// Threads, no rolls on the way, and nothing that happens by the clock.
fn options() -> Options {
    let hour = Duration::from_secs(3600);
    Options {
        upkeep: Upkeep::Threads,
        first_segment_bytes: 256 << 10,
        segment_bytes_max: 256 << 10,
        staging_bytes_max: STAGING_BYTES_MAX,
        mark_after: hour,
        sync_interval: hour,
        ..small_options()
    }
}

/// A door before which syncs stand while it is closed.
#[derive(Clone, Default)]
struct Door {
    shared: Arc<(Mutex<DoorState>, Condvar)>,
}

#[derive(Default)]
struct DoorState {
    is_closed: bool,
    standing: usize,
}

impl Door {
    fn set(&self, is_closed: bool) {
        self.shared.0.lock().unwrap().is_closed = is_closed;
        self.shared.1.notify_all();
    }

    fn pass(&self) {
        let mut state = self.shared.0.lock().unwrap();
        state.standing += 1;
        self.shared.1.notify_all();
        let mut state = self.shared.1.wait_while(state, |state| state.is_closed).unwrap();
        state.standing -= 1;
    }

    fn wait_until_somebody_stands_there(&self) {
        let state = self.shared.0.lock().unwrap();
        drop(self.shared.1.wait_while(state, |state| state.standing == 0).unwrap());
    }
}

/// Waits for the keeper's spare, so that the next sync is a commit's.
fn wait_for_spare(disk: &SimulatedDisk) {
    while !disk.file_names().iter().any(|name| name == "0000000002-0000.log") {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The directory is synced after the name is there, and the file opened after that.
    std::thread::sleep(Duration::from_millis(20));
}

/// Waits until a counter has stopped.
fn settled(counter: &AtomicUsize) -> usize {
    loop {
        let before = counter.load(Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(150));
        if before > 0 && counter.load(Ordering::SeqCst) == before {
            return before;
        }
    }
}

#[test]
fn while_a_sync_hangs_appends_wait_in_bounded_memory_and_reads_go_on() {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    store.append(request("a-1", &["before"], Durability::Durable)).unwrap();
    wait_for_spare(&disk);
    let door = Door::default();
    let at_the_door = door.clone();
    disk.on_sync(Some(Box::new(move || at_the_door.pass())));
    door.set(true);
    let data = "x".repeat(500);
    let taken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let hanging = scope.spawn(|| store.append(request("a-1", &["hangs"], Durability::Durable)));
        door.wait_until_somebody_stands_there();
        let submitting = scope.spawn(|| {
            let submit = |_| {
                let ticket = store.submit(request("b-1", &[&data], Durability::Durable)).unwrap();
                taken.fetch_add(1, Ordering::SeqCst);
                ticket
            };
            (0..100).map(submit).collect::<Vec<_>>()
        });
        let count = settled(&taken);
        assert!(count * data.len() <= STAGING_BYTES_MAX, "{count} requests wait in memory");

        let reader = store.reader();
        assert_eq!(reader.head(), Position(1), "nothing that is not durable is shown");
        assert_eq!(texts(reader.read(Read::all())).unwrap(), ["before"]);
        assert_eq!(texts(reader.read(Read::stream(stream("a-1")).backwards())).unwrap(), ["before"]);
        assert!(!hanging.is_finished(), "nothing is acknowledged before the sync has returned");

        door.set(false);
        assert_eq!(hanging.join().unwrap().unwrap().positions, Position(1)..Position(2));
        for (ordinal, ticket) in submitting.join().unwrap().into_iter().enumerate() {
            assert_eq!(ticket.wait().unwrap().positions.start, Position(2 + ordinal as u64));
        }
    });
    store.close().unwrap();
    assert_eq!(Store::open_on(disk, options()).unwrap().reader().head(), Position(102));
}

#[test]
fn a_slow_disk_costs_time_and_those_who_wait_share_the_next_sync() {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    store.append(request("a-1", &["before"], Durability::Durable)).unwrap();
    wait_for_spare(&disk);
    let door = Door::default();
    let at_the_door = door.clone();
    disk.on_sync(Some(Box::new(move || at_the_door.pass())));
    for round in 0..10 {
        let before = disk.syncs();
        door.set(true);
        std::thread::scope(|scope| {
            let first = scope.spawn(|| store.append(request("a-1", &["first"], Durability::Durable)).unwrap());
            door.wait_until_somebody_stands_there();
            let submit = |_| store.submit(request("b-1", &["waits"], Durability::Durable)).unwrap();
            let tickets: Vec<_> = (0..7).map(submit).collect();
            door.set(false);
            assert_eq!(first.join().unwrap().positions.start, Position(1 + 8 * round));
            for (ordinal, ticket) in tickets.into_iter().enumerate() {
                let receipt = ticket.wait().unwrap();
                assert_eq!(receipt.durability, Durability::Durable);
                assert_eq!(receipt.positions.start, Position(2 + 8 * round + ordinal as u64));
            }
        });
        assert_eq!(disk.syncs() - before, 2, "one for the first, one for all who came while it was under way");
    }
    assert_eq!(texts(store.read(Read::stream(stream("b-1")))).unwrap().len(), 70);
}

/// On one thread, so that a bug that is put in on that thread is met.
#[test]
pub(crate) fn no_reader_sees_an_event_before_its_sync_has_returned() {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), small_options()).unwrap();
    store.append(request("a-1", &["before"], Durability::Durable)).unwrap();
    let (reader, seen) = (store.reader(), Arc::new(Mutex::new(Vec::new())));
    let note = Arc::clone(&seen);
    disk.on_sync(Some(Box::new(move || note.lock().unwrap().push(reader.head()))));
    store.append(AppendRequest::new().event(event("a-1", "under way"))).unwrap();
    disk.on_sync(None);
    assert_eq!(*seen.lock().unwrap(), [Position(1)], "the head while the sync was under way");
    assert_eq!(store.reader().head(), Position(2));
}

#[test]
fn when_the_disk_fails_everybody_who_waits_is_told() {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    store.append(request("a-1", &["before"], Durability::Durable)).unwrap();
    wait_for_spare(&disk);
    let door = Door::default();
    let at_the_door = door.clone();
    disk.on_sync(Some(Box::new(move || at_the_door.pass())));
    door.set(true);
    disk.inject(gesta::disk::Fault::FailSync { sync: 1, persistent: false });
    std::thread::scope(|scope| {
        let waiters: Vec<_> =
            (0..8).map(|_| scope.spawn(|| store.append(request("a-1", &["lost"], Durability::Durable)))).collect();
        door.wait_until_somebody_stands_there();
        door.set(false);
        for waiter in waiters {
            let outcome = waiter.join().unwrap();
            assert!(matches!(outcome, Err(gesta::AppendError::Poisoned { .. })), "{outcome:?}");
        }
    });
    assert_eq!(texts(store.read(Read::all())).unwrap(), ["before"]);
    assert!(store.close().is_err());
    let store = Store::open_on(disk, options()).unwrap();
    assert_eq!(texts(store.read(Read::all())).unwrap()[0], "before");
}
