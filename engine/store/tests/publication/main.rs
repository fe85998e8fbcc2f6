//! How readers learn what they may read, under every order of its atomics that the memory model allows.
//!
//! loom runs each model with all turns that its threads may take, and gives each load every value that the orderings allow. The
//! file under test is the engine's own: it is built here once more, with loom's primitives where the engine has its own.
#![cfg(not(gesta_shuttle))]

#[path = "../../src/log/watermarks.rs"]
mod watermarks;

#[path = "../../src/sabotage.rs"]
#[allow(dead_code, unreachable_pub, reason = "one bug of it is looked for here")]
mod sabotage;

mod sync;

use gesta_model::Position;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use watermarks::Watermarks;

/// The bytes of two events and what is published of them. Bytes are no atomics in the engine: Relaxed asks for no order either.
struct Log {
    bytes: [AtomicU64; 2],
    watermarks: Watermarks,
}

impl Log {
    fn new() -> Arc<Self> {
        let bytes = [AtomicU64::new(0), AtomicU64::new(0)];
        Arc::new(Self { bytes, watermarks: Watermarks::new(Position(0)) })
    }

    /// Writes and publishes one event after another: the second is written before the first is durable.
    fn write_both(&self) {
        self.bytes[0].store(1, Ordering::Relaxed);
        self.watermarks.publish(Position(1), Position(0));
        self.bytes[1].store(1, Ordering::Relaxed);
        self.watermarks.publish(Position(2), Position(1));
        self.watermarks.publish(Position(2), Position(2));
    }

    /// Every event below a position is in place.
    fn assert_in_place(&self, below: Position) {
        for (position, bytes) in (0..below.0).zip(&self.bytes) {
            assert_eq!(bytes.load(Ordering::Relaxed), 1, "position {position} can be read before its bytes");
        }
    }
}

fn readers_look() {
    let log = Log::new();
    let writing = Arc::clone(&log);
    let writer = thread::spawn(move || writing.write_both());
    let reading = Arc::clone(&log);
    let reader = thread::spawn(move || reading.assert_in_place(reading.watermarks.written()));
    let readable = log.watermarks.readable();
    log.assert_in_place(readable);
    assert!(log.watermarks.written() >= readable, "readable is beyond written");
    assert!(log.watermarks.readable() >= readable, "readable went back");
    writer.join().unwrap();
    reader.join().unwrap();
}

fn a_reader_sleeps() {
    let log = Log::new();
    let writing = Arc::clone(&log);
    let writer = thread::spawn(move || {
        writing.bytes[0].store(1, Ordering::Relaxed);
        writing.watermarks.publish(Position(1), Position(1));
    });
    log.watermarks.wait_beyond(Position(0), None);
    assert_eq!(log.watermarks.readable(), Position(1));
    log.assert_in_place(Position(1));
    writer.join().unwrap();
}

#[test]
fn no_position_can_be_read_before_its_bytes() {
    loom::model(readers_look);
}

#[test]
fn whoever_sleeps_until_more_can_be_read_is_woken() {
    loom::model(a_reader_sleeps);
}

#[cfg(gesta_sabotage)]
mod sabotaged {
    use super::readers_look;
    use super::sabotage::{Bug, caught};

    #[test]
    fn sabotage_publishing_without_an_order_is_caught() {
        let failure = caught(Bug::PublishRelaxed, || loom::model(readers_look));
        assert!(failure.contains("can be read before its bytes"), "{failure}");
    }
}
