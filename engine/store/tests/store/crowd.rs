//! Many callers at once, in every way there is to wait, over segments so small that they roll all the time, with a reader
//! of another process looking on: nobody waits for ever, nothing is lost, nobody sees damage.

use crate::support::{request, small_options, texts};
use gesta::disk::SimulatedDisk;
use gesta::{Durability, Options, Position, Read, Reader, Store, Ticket, Upkeep};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

const THREADS: usize = 6;
const APPENDS: usize = 400;
const ROUNDS: usize = 6;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Awaits a ticket; the first look leaves a waker that wakes nobody, and only the last one counts.
fn await_ticket(mut ticket: Ticket<SimulatedDisk>) -> gesta::Receipt {
    let mut waker = Waker::noop().clone();
    loop {
        match Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => return outcome.unwrap(),
            Poll::Pending if waker.will_wake(Waker::noop()) => {
                waker = Waker::from(Arc::new(Unpark(std::thread::current())));
            }
            Poll::Pending => std::thread::park(),
        }
    }
}

/// One caller: appends to its own stream in turn in every way.
fn call(store: &Store<SimulatedDisk>, name: &str, first: usize) {
    for number in first..first + APPENDS {
        let data = format!("{number}:{}", "x".repeat(number * 37 % 400));
        let make = |durability| request(name, &[&data], durability);
        let receipt = match number % 7 {
            0 => store.append(make(Durability::Written)).unwrap(),
            1 => store.append(make(Durability::Buffered)).unwrap(),
            2 => store.submit(make(Durability::Durable)).unwrap().wait().unwrap(),
            3 => await_ticket(store.submit(make(Durability::Durable)).unwrap()),
            4 => await_ticket(store.submit(make(Durability::Written)).unwrap()),
            5 => {
                drop(store.submit(make(Durability::Durable)).unwrap());
                store.mark();
                continue;
            }
            _ => store.append(make(Durability::Durable)).unwrap(),
        };
        assert_eq!(receipt.revisions[0].1.0, number as u64);
        assert!(receipt.durability != Durability::Durable || store.reader().head() >= receipt.positions.end);
    }
}

/// Looks at the log of another process until told to stop: it only grows, and is never damaged.
fn observe(reader: &Reader<SimulatedDisk>, is_over: &AtomicBool) {
    let mut seen = Position::START;
    while !is_over.load(Ordering::Relaxed) {
        assert_eq!(reader.refresh().unwrap(), []);
        let head = reader.head();
        assert!(head >= seen, "{head} after {seen}");
        seen = head;
        assert_eq!(texts(reader.read(Read::all().backwards().limit(50))).unwrap().len() as u64, head.0.min(50));
    }
}

fn run() {
    let disk = SimulatedDisk::new(1);
    // The marks come in between, and the periodic syncs do not: whoever is forgotten waits for ever.
    let options = || Options {
        mark_after: Duration::from_micros(300),
        sync_interval: Duration::MAX,
        upkeep: Upkeep::Threads,
        ..small_options()
    };
    drop(Store::open_on(disk.clone(), options()).unwrap());
    let reader = Reader::open_on(disk.clone()).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| observe(&reader, &is_over));
        for round in 0..ROUNDS {
            let store = Store::open_on(disk.clone(), options()).unwrap();
            assert!(!store.recovery().is_degraded, "{:?}", store.recovery());
            std::thread::scope(|callers| {
                for thread in 0..THREADS {
                    let store = &store;
                    callers.spawn(move || call(store, &format!("caller-{thread}"), round * APPENDS));
                }
            });
            store.close().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(reader.refresh().unwrap(), []);
    assert_eq!(reader.head(), Position((THREADS * ROUNDS * APPENDS) as u64));
    assert_eq!(reader.verify(true, &mut |_, _| {}).damage, []);
}

#[test]
fn a_crowd_of_callers_is_served_and_an_observer_never_misled() {
    let (done, is_done) = mpsc::channel();
    let crowd = std::thread::spawn(move || {
        run();
        let _ = done.send(());
    });
    match is_done.recv_timeout(Duration::from_secs(120)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("somebody waits for ever"),
        _ => crowd.join().unwrap(),
    }
}
