//! The scrub: what was sealed is read again while the store is open, at its rate, and what is damaged is told.

use crate::misplaced::batches;
use crate::support::{open, request, small_options, texts};
use gesta::codec::HEADERS_BYTES;
use gesta::disk::{Fault, SimulatedDisk};
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{
    Damage, Durability, Options, Position, Read, ScrubObserver, ScrubOptions, ScrubRate, ScrubStatus, Store, Timestamp,
    Upkeep,
};
use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A clock that a test sets, and a lot that it draws.
#[derive(Clone, Default)]
struct World {
    now: Arc<AtomicI64>,
    lot: Arc<AtomicU8>,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }
}

impl Entropy for World {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        bytes[0] = self.lot.load(Ordering::Relaxed);
    }
}

impl World {
    fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_nanos()).unwrap(), Ordering::Relaxed);
    }
}

/// Keeps all that it is told.
#[derive(Debug, Default)]
struct Witness {
    damage: Mutex<Vec<Damage>>,
    index_files: Mutex<Vec<String>>,
    passes: Mutex<Vec<ScrubStatus>>,
    panics: bool,
}

impl ScrubObserver for Witness {
    fn damaged(&self, damage: &Damage) {
        self.damage.lock().unwrap().push(damage.clone());
        assert!(!self.panics, "a mistake of whoever looks on");
    }

    fn index_file_damaged(&self, file: &str, what: &str) {
        assert!(!what.is_empty());
        self.index_files.lock().unwrap().push(file.to_owned());
    }

    fn pass_ended(&self, status: &ScrubStatus) {
        self.passes.lock().unwrap().push(status.clone());
    }
}

/// So many bytes a second, and a pass a day.
fn scrub(bytes_per_second: u64) -> Option<ScrubOptions> {
    Some(ScrubOptions { rate: ScrubRate::new(NonZeroU64::new(bytes_per_second).unwrap()), interval: DAY })
}

fn options(world: &World, bytes_per_second: u64, witness: &Arc<Witness>) -> Options {
    Options {
        environment: Environment::new(world.clone(), world.clone()),
        scrub: scrub(bytes_per_second),
        scrub_observer: Some(Arc::clone(witness) as Arc<dyn ScrubObserver>),
        ..small_options()
    }
}

/// A closed store of a dozen sealed segments, with all index files that belong to them.
fn closed_store() -> SimulatedDisk {
    let disk = SimulatedDisk::new(7);
    let store = open(&disk);
    for number in 0..170 {
        let data =
            [&format!("first of {number} {}", "x".repeat(400)), &format!("second of {number} {}", "y".repeat(400))];
        store.append(request("a-1", &[data[0], data[1]], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    let sealed = sealed_segments(&disk);
    assert!(sealed.len() >= 9, "{sealed:?}");
    assert!(disk.file_names().iter().any(|name| name.ends_with(".sum")));
    disk
}

fn names(disk: &SimulatedDisk, ending: &str) -> Vec<String> {
    let mut names: Vec<String> = disk.file_names().into_iter().filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names
}

/// Those that have an index file: of the tail and the spare there is none.
fn sealed_segments(disk: &SimulatedDisk) -> Vec<String> {
    names(disk, ".idx").iter().map(|name| name.replace(".idx", ".log")).collect()
}

/// Lets time go by until so many passes have ended; tells the status.
fn scrub_until(store: &Store<SimulatedDisk>, world: &World, passes: u64) -> ScrubStatus {
    for _ in 0..1_000_000 {
        let status = store.scrub().unwrap();
        if status.passes >= passes {
            return status;
        }
        world.pass(store.scrub_on().unwrap());
    }
    panic!("the scrub does not come to an end: {:?}", store.scrub());
}

#[test]
fn a_bit_that_flips_under_an_open_store_is_found_within_one_pass_at_its_positions() {
    let closed = closed_store();
    let mut flips = 0;
    for (ordinal, name) in sealed_segments(&closed).into_iter().enumerate() {
        let all = batches(&closed, &name);
        // The headers of a batch, its body, and its seal.
        for (at, within) in [(0, 10), (all.len() / 2, HEADERS_BYTES as u64 + 20), (all.len() - 1, 30)] {
            let (disk, world, witness) = (closed.fork(), World::default(), Arc::default());
            world.lot.store(u8::try_from(3 * ordinal + 1).unwrap(), Ordering::Relaxed);
            let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
            disk.flip_bit(&name, all[at].0 + within, 3);
            let status = scrub_until(&store, &world, 1);
            let expected = store.reader().verify(false, &mut |_, _| {}).damage;
            assert!(!expected.is_empty(), "{name}: {at}");
            assert_eq!(status.damage, expected, "{name}: {at}");
            assert!(expected.iter().all(|damage| damage.file.ends_with(&name)), "{expected:?}");
            assert_eq!(expected[0].offset, all[at].0, "{expected:?}");
            assert_eq!(*witness.damage.lock().unwrap(), expected);
            let lost = expected.iter().filter(|damage| !damage.positions.is_empty()).count() as u64;
            assert_eq!(status.damaged_batches, lost);
            // The log is left alone, and goes on.
            store.append(request("a-2", &["goes on"], Durability::Durable)).unwrap();
            store.close().unwrap();
            flips += 1;
        }
    }
    println!("{flips} flips were found");
}

#[test]
fn a_damaged_copy_of_a_segments_header_is_told_and_loses_nothing() {
    let (disk, world, witness) = (closed_store(), World::default(), Arc::default());
    let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
    disk.flip_bit("0000000002-0000.log", 2048 + 3, 1);
    let status = scrub_until(&store, &world, 1);
    assert_eq!(status.damage, store.reader().verify(false, &mut |_, _| {}).damage);
    assert_eq!((status.damage.len(), status.damaged_batches), (1, 0), "{status:?}");
}

#[test]
fn what_is_whole_is_read_once_a_pass_and_nothing_is_told() {
    let (disk, world, witness) = (closed_store(), World::default(), Arc::new(Witness::default()));
    let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
    for pass in 1..=3 {
        let status = scrub_until(&store, &world, pass);
        assert_eq!((status.damage.len(), status.damaged_batches, status.index_files_damaged), (0, 0, 0));
        assert_eq!((status.pass, status.last_pass_ended.is_some()), (None, true));
        // The zeros behind the seals are not read, and little is read twice.
        let written: u64 = sealed_segments(&disk)
            .iter()
            .map(|name| batches(&disk, name).iter().map(|(_, bytes)| bytes).sum::<u64>())
            .sum();
        let all: usize = disk.file_names().iter().map(|name| disk.image(name).len()).sum();
        assert!((pass * written..2 * pass * all as u64).contains(&status.bytes), "{} of {written}", status.bytes);
    }
    assert_eq!(witness.passes.lock().unwrap().len(), 3);
    assert!(witness.damage.lock().unwrap().is_empty() && witness.index_files.lock().unwrap().is_empty());
}

#[test]
fn no_more_is_read_than_the_rate_allows_and_no_less() {
    const RATE: u64 = 20_000;
    // As long as a batch of these stores may be, which is read as a whole, and what is looked at before it.
    const STEP_BYTES: u64 = 3 * 4096 + RATE / 4;
    let (disk, world, witness) = (closed_store(), World::default(), Arc::default());
    let store = Store::open_on(disk, options(&world, RATE, &witness)).unwrap();
    let start = world.now();
    let mut steps = 0;
    loop {
        let due = store.scrub_on().unwrap();
        let status = store.scrub().unwrap();
        let allowed =
            |nanoseconds: i64| u64::try_from(i128::from(nanoseconds) * i128::from(RATE) / 1_000_000_000).unwrap();
        let elapsed = world.now().0 - start.0;
        assert!(status.bytes <= allowed(elapsed) + STEP_BYTES, "{} bytes after {elapsed} ns", status.bytes);
        if status.passes == 1 {
            // It did not dawdle either: all the time it took was owed for what it read.
            assert!(status.bytes + 1 + steps >= allowed(elapsed), "{} bytes after {elapsed} ns", status.bytes);
            break;
        }
        // Before it is due nothing is read, however often it is asked.
        if due > Duration::from_nanos(1) {
            world.pass(due - Duration::from_nanos(1));
            assert_eq!(store.scrub_on(), Some(Duration::from_nanos(1)));
            assert_eq!(store.scrub().unwrap().bytes, status.bytes);
            world.pass(Duration::from_nanos(1));
        }
        steps += 1;
    }
    assert!(steps > 20, "{steps} steps");
}

#[test]
fn a_pass_begins_when_the_store_is_opened_and_an_interval_after_the_last_one_began() {
    let (disk, world, witness) = (closed_store(), World::default(), Arc::default());
    let store = Store::open_on(disk, options(&world, 1 << 20, &witness)).unwrap();
    scrub_until(&store, &world, 1);
    let took = Duration::from_nanos(u64::try_from(world.now().0).unwrap());
    assert_eq!(store.scrub_on(), Some(DAY - took));
    // A clock that is set back makes nobody wait for years.
    world.now.store(-1_000_000_000, Ordering::Relaxed);
    assert_eq!(store.scrub_on(), Some(DAY));
    world.pass(DAY);
    store.scrub_on().unwrap();
    let status = store.scrub().unwrap();
    assert!(status.pass.is_some() && status.passes == 1, "{status:?}");
}

#[test]
fn a_pass_begins_with_a_segment_that_is_drawn_by_lot() {
    let closed = closed_store();
    let mut first = BTreeSet::new();
    for lot in 0..50 {
        let (disk, world, witness) = (closed.fork(), World::default(), Arc::new(Witness::default()));
        world.lot.store(lot, Ordering::Relaxed);
        let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
        for name in sealed_segments(&disk) {
            disk.flip_bit(&name, batches(&disk, &name)[0].0 + HEADERS_BYTES as u64, 0);
        }
        while witness.damage.lock().unwrap().is_empty() {
            world.pass(store.scrub_on().unwrap());
        }
        let progress = store.scrub().unwrap().pass.unwrap();
        assert!(0 < progress.bytes_done && progress.bytes_done < progress.bytes_total, "{progress:?}");
        let damage = witness.damage.lock().unwrap().remove(0);
        first.insert(damage.file.rsplit('/').next().unwrap().to_owned());
        let status = scrub_until(&store, &world, 1);
        assert_eq!(status.damaged_batches, sealed_segments(&disk).len() as u64, "none is left out");
    }
    assert_eq!(first.into_iter().collect::<Vec<_>>(), sealed_segments(&closed));
}

#[test]
fn what_was_damaged_and_is_whole_again_is_told_no_more() {
    let (disk, world, witness) = (closed_store(), World::default(), Arc::new(Witness::default()));
    let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
    let name = &sealed_segments(&disk)[2];
    let (offset, bytes) = batches(&disk, name)[1];
    disk.inject(Fault::FailRead { file: name.clone(), range: offset + 200..offset + bytes });
    let status = scrub_until(&store, &world, 1);
    let [damage] = &status.damage[..] else { panic!("{status:?}") };
    assert!(damage.what.contains("cannot be read") && damage.offset == offset, "{damage}");
    assert_eq!(damage.positions.end.since(damage.positions.start), 2, "{damage}");
    // It is told once, and stands there as long as it is so.
    let again = scrub_until(&store, &world, 2);
    assert_eq!((again.damage, witness.damage.lock().unwrap().len()), (status.damage.clone(), 1));
    disk.clear_faults();
    let status = scrub_until(&store, &world, 3);
    assert_eq!((status.damage.len(), status.damaged_batches), (0, 0));
    store.close().unwrap();
}

#[test]
fn a_damaged_index_file_is_made_anew() {
    let closed = closed_store();
    let mut made = 0;
    for name in names(&closed, ".idx").into_iter().chain(names(&closed, ".sum")) {
        let image = closed.image(&name);
        // The header page, a block, and the checksums at the end.
        for at in [100, image.len() / 2, image.len() - 2] {
            let (disk, world, witness) = (closed.fork(), World::default(), Arc::new(Witness::default()));
            let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
            disk.flip_bit(&name, at as u64, 2);
            let status = scrub_until(&store, &world, 1);
            assert_eq!((status.index_files_damaged, status.damage.len()), (1, 0), "{name} at {at}");
            assert_eq!(*witness.index_files.lock().unwrap(), [&*name]);
            assert!(disk.image(&name) == image, "{name} at {at} is not as it was");
            let report = store.reader().verify_index(&mut |_, _| {});
            assert!(report.damaged.is_empty() && report.missing.is_empty(), "{name} at {at}: {report:?}");
            made += 1;
        }
    }
    println!("{made} index files were made anew");
}

#[test]
fn an_index_file_that_cannot_be_made_anew_is_made_when_it_can_be() {
    let (disk, world, witness) = (closed_store(), World::default(), Arc::default());
    let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
    let name = &names(&disk, ".idx")[4];
    let image = disk.image(name);
    disk.flip_bit(name, 5000, 2);
    disk.inject(Fault::FailCall { call: 1, kind: std::io::ErrorKind::StorageFull, persistent: true });
    let status = scrub_until(&store, &world, 1);
    assert_eq!((status.index_files_damaged, status.damage.len()), (1, 0), "{status:?}");
    assert_eq!(texts(store.read(Read::all())).unwrap().len(), 340);
    disk.clear_faults();
    // It is found to be missing by whoever looks for the next file to write.
    for number in 0..40 {
        store.append(request("a-3", &[&format!("{number} {}", "z".repeat(900))], Durability::Durable)).unwrap();
    }
    assert!(disk.image(name) == image);
}

#[test]
fn a_store_is_closed_in_the_middle_of_a_pass() {
    let closed = closed_store();
    for steps in 0..40 {
        let (disk, world, witness) = (closed.fork(), World::default(), Arc::default());
        let store = Store::open_on(disk.clone(), options(&world, 20_000, &witness)).unwrap();
        for _ in 0..steps {
            world.pass(store.scrub_on().unwrap());
        }
        let reader = store.reader();
        store.append(request("a-2", &["last"], Durability::Written)).unwrap();
        store.shut().unwrap();
        assert_eq!(store.scrub_on(), None, "nothing is read any more");
        assert_eq!(reader.scrub().unwrap().damage, []);
        let next = open(&disk);
        assert!(next.recovery().closed_cleanly);
        assert_eq!(next.reader().head(), Position(341));
    }
}

#[test]
fn a_panic_of_whoever_looks_on_ends_no_pass() {
    let (disk, world) = (closed_store(), World::default());
    let witness = Arc::new(Witness { panics: true, ..Witness::default() });
    let store = Store::open_on(disk.clone(), options(&world, 1 << 20, &witness)).unwrap();
    let name = &sealed_segments(&disk)[3];
    disk.flip_bit(name, batches(&disk, name)[0].0 + HEADERS_BYTES as u64, 0);
    assert_eq!(scrub_until(&store, &world, 1).damaged_batches, 1);
    assert_eq!(witness.damage.lock().unwrap().len(), 1);
}

#[test]
fn nobody_scrubs_a_store_that_is_not_asked_to_be_or_is_degraded() {
    let disk = closed_store();
    let store = open(&disk);
    assert_eq!((store.scrub(), store.scrub_on()), (None, None));
    store.close().unwrap();
    // Durable events of the last segment are lost.
    let tail = names(&disk, ".log").into_iter().rfind(|name| !batches(&disk, name).is_empty()).unwrap();
    disk.flip_bit(&tail, batches(&disk, &tail)[0].0 + 9, 1);
    let store = Store::open_on(disk, options(&World::default(), 1 << 20, &Arc::default())).unwrap();
    assert!(store.recovery().is_degraded);
    assert_eq!((store.scrub(), store.scrub_on()), (None, None));
}

/// With threads: the keeper scrubs while events are appended and read, and goes on making spares and index files.
#[test]
fn the_thread_that_keeps_the_store_scrubs_it_beside_its_other_work() {
    let (disk, witness) = (closed_store(), Arc::new(Witness::default()));
    let name = sealed_segments(&disk).remove(5);
    let (offset, _) = batches(&disk, &name)[2];
    let options = Options {
        upkeep: Upkeep::Threads,
        scrub: Some(ScrubOptions { rate: ScrubRate::new(NonZeroU64::MAX), interval: Duration::ZERO }),
        scrub_observer: Some(Arc::clone(&witness) as Arc<dyn ScrubObserver>),
        ..small_options()
    };
    let store = Store::open_on(disk.clone(), options).unwrap();
    disk.flip_bit(&name, offset + HEADERS_BYTES as u64 + 5, 5);
    let mut count = 340;
    while witness.damage.lock().unwrap().is_empty() || count < 500 {
        store.append(request("a-4", &[&"z".repeat(900)], Durability::Durable)).unwrap();
        count += 1;
        assert!(count < 100_000, "nothing is found: {:?}", store.scrub());
    }
    let found = witness.damage.lock().unwrap().clone();
    assert_eq!(found, store.reader().verify(false, &mut |_, _| {}).damage);
    store.close().unwrap();
    assert_eq!(open(&disk).reader().head(), Position(count));
    assert!(witness.index_files.lock().unwrap().is_empty());
}

/// A step that is due in days keeps nobody from closing.
#[test]
fn a_store_that_waits_for_its_next_step_is_closed() {
    let disk = closed_store();
    let options = Options { upkeep: Upkeep::Threads, scrub: scrub(1), ..small_options() };
    let store = Store::open_on(disk.clone(), options).unwrap();
    while store.scrub().unwrap().bytes == 0 {
        std::thread::yield_now();
    }
    store.close().unwrap();
    assert!(open(&disk).recovery().closed_cleanly);
}
