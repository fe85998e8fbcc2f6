//! Who waits for whom: callers, the committing thread, marks, and what a failure leaves.

use crate::support::{event, next_event, open, request, small_options, stream};
use gesta::disk::{Fault, SimulatedDisk};
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{
    AppendError, AppendRequest, Durability, ExpectedRevision, OpenError, Options, Position, Read, Store, Timestamp,
    Upkeep, Uuid,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// A clock that stops its caller once, when it is armed.
struct GateClock {
    armed: Arc<AtomicBool>,
    entered: Mutex<mpsc::Sender<()>>,
    go: Mutex<mpsc::Receiver<()>>,
}
impl Clock for GateClock {
    fn now(&self) -> Timestamp {
        if self.armed.swap(false, Ordering::SeqCst) {
            self.entered.lock().unwrap().send(()).unwrap();
            self.go.lock().unwrap().recv().unwrap();
        }
        Timestamp(1)
    }
}
/// Not random at all.
struct Ones;
impl Entropy for Ones {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(1);
    }
}

/// A clock that breaks once, when it is armed.
struct PanicClock(Arc<AtomicBool>);
impl Clock for PanicClock {
    fn now(&self) -> Timestamp {
        assert!(!self.0.swap(false, Ordering::SeqCst), "a clock that breaks");
        Timestamp(1)
    }
}

// Whoever appended while `Store::mark` was writing went to sleep, and the end of the mark woke nobody: the append came with
// the next periodic sync only.
#[test]
fn an_append_during_a_mark_is_committed_after_it() {
    let hour = Duration::from_secs(3600);
    let armed = Arc::new(AtomicBool::new(false));
    let (entered_in, entered) = mpsc::channel();
    let (go, go_out) = mpsc::channel();
    let clock = GateClock { armed: Arc::clone(&armed), entered: Mutex::new(entered_in), go: Mutex::new(go_out) };
    let options = Options {
        sync_interval: hour,
        mark_after: hour,
        upkeep: Upkeep::Threads,
        environment: Environment::new(clock, Ones),
        ..small_options()
    };
    let store = Arc::new(Store::open_on(SimulatedDisk::new(1), options).unwrap());
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    armed.store(true, Ordering::SeqCst);
    let marking = Arc::clone(&store);
    let marker = std::thread::spawn(move || marking.mark());
    entered.recv().unwrap();
    let appending = Arc::clone(&store);
    let (done_in, done) = mpsc::channel();
    std::thread::spawn(move || {
        let event = event("a-1", "two").id(Uuid::from_u128(7));
        let receipt = appending.append(AppendRequest::new().event(event));
        done_in.send(receipt).unwrap();
    });
    std::thread::sleep(Duration::from_millis(200));
    go.send(()).unwrap();
    marker.join().unwrap();
    done.recv_timeout(Duration::from_secs(10)).expect("nobody committed it").unwrap();
}

// A panic of whoever commits left the turn taken: every append, and the close, waited for ever.
#[test]
fn a_panic_in_a_commit_poisons_the_writer() {
    let armed = Arc::new(AtomicBool::new(false));
    let options = Options { environment: Environment::new(PanicClock(Arc::clone(&armed)), Ones), ..small_options() };
    let (done_in, done) = mpsc::channel();
    std::thread::spawn(move || {
        let store = Store::open_on(SimulatedDisk::new(1), options).unwrap();
        store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
        let ticket = store.submit(request("a-1", &["two"], Durability::Durable)).unwrap();
        armed.store(true, Ordering::SeqCst);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.sync()));
        assert!(caught.is_err());
        assert!(matches!(ticket.wait(), Err(AppendError::Poisoned { .. })));
        let after = store.append(request("a-1", &["three"], Durability::Durable));
        assert!(matches!(after, Err(AppendError::Poisoned { .. })));
        assert!(store.close().is_err());
        done_in.send(()).unwrap();
    });
    done.recv_timeout(Duration::from_secs(10)).expect("it hangs or failed");
}

// The committing thread slept until the next mark was due, however long that was, and a weak append did not wake it.
#[test]
fn a_weak_append_is_synced_in_time_when_marks_are_rare() {
    let options = Options {
        mark_after: Duration::from_secs(3600),
        sync_interval: Duration::from_millis(20),
        upkeep: Upkeep::Threads,
        ..small_options()
    };
    let store = Store::open_on(SimulatedDisk::new(1), options).unwrap();
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    store.append(request("a-1", &["two"], Durability::Buffered)).unwrap();
    let mut subscription = store.subscribe(Read::all().from(Position(1)));
    let position = next_event(&mut subscription, |event| event.position());
    assert_eq!(position, Position(1));
}

// "Never" overflowed the clock and ended the committing thread.
#[test]
fn durations_without_end_are_allowed() {
    let options =
        Options { mark_after: Duration::MAX, sync_interval: Duration::MAX, upkeep: Upkeep::Threads, ..small_options() };
    let store = Store::open_on(SimulatedDisk::new(1), options).unwrap();
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    store.append(request("a-1", &["two"], Durability::Buffered)).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let mut ticket = store.submit(request("a-1", &["three"], Durability::Durable)).unwrap();
    for _ in 0..1000 {
        if let Some(outcome) = ticket.try_take() {
            outcome.unwrap();
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the ticket was never answered");
}

// Room was asked for bytes only: what has none could wait in any number, while a disk hung.
#[test]
fn pure_checks_that_nobody_waits_for_do_not_pile_up() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    store.append(request("a-1", &["one"], Durability::Buffered)).unwrap();
    let mut first = None;
    for _ in 0..100_000 {
        let check = AppendRequest::new().expect(stream("a-1"), ExpectedRevision::StreamExists);
        let ticket = store.submit(check).unwrap();
        first.get_or_insert(ticket);
    }
    first.unwrap().try_take().expect("answered in between").unwrap();
}

// The lock went with the store, and the next writer cut bytes that a reader of the failed one still had in view.
#[test]
fn after_a_failure_no_writer_comes_in_while_readers_may_look() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    store.append(request("a-1", &["lost"], Durability::Durable)).unwrap_err();
    let reader = store.reader();
    drop(store);
    assert!(matches!(Store::open_on(disk.clone(), small_options()), Err(OpenError::Locked { .. })));
    drop(reader);
    assert_eq!(open(&disk).reader().head(), Position(1));
}
