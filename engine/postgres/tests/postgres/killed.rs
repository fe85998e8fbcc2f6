//! A process that projects, killed again and again.

use super::cluster;
use super::models::{InPostgres, assert_is_a_fold, bank, deposit, model, reader, run};
use super::support::PATIENCE;
use gesta::{Position, Reader};
use gesta_cqrs::Runner;
use postgres::Client;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The store and the database of a process that is to be killed.
const STORE: &str = "GESTA_TEST_STORE";
const DATABASE: &str = "GESTA_TEST_DATABASE";

/// How often the process is killed, unless `GESTA_READ_MODEL_KILLS` says otherwise.
const KILLS: u64 = 20;

#[test]
fn rows_are_a_fold_of_the_log_up_to_the_checkpoint_whenever_the_process_is_killed() {
    if let (Some(store), Ok(database)) = (std::env::var_os(STORE), std::env::var(DATABASE)) {
        return project_until_killed(store.as_ref(), &database);
    }
    let Some(database) = cluster::database("killed") else { return };
    let (test, handler) = bank();
    let mut reader = reader(&database);
    let store = test.directory.path().join("store");
    let kills = std::env::var("GESTA_READ_MODEL_KILLS").map_or(KILLS, |count| count.parse().unwrap());
    let is_over = AtomicBool::new(false);
    let mut midway_count = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                deposit(&handler, 1);
            }
        });
        // Whatever fails, the other thread has to end.
        let _over = Over(&is_over);
        let mut last = None;
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for kill in 0..kills {
            let mut child = Projector(project(&store, &database));
            // One in four is killed while it starts, the others when they have committed something.
            if kill % 4 != 0 {
                wait_beyond(&mut reader, last);
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            std::thread::sleep(Duration::from_micros((random >> 33) % 40_000));
            child.kill();
            let position = assert_is_a_fold(&mut reader, &test.store);
            assert!(position >= last, "the checkpoint went back");
            midway_count += u64::from(position > last);
            last = position;
        }
    });
    println!("{midway_count} of {kills} processes were killed midway");
    assert!(midway_count >= kills / 2, "too few were killed while they had something to do");
    let running = run(&test, &database, InPostgres::default());
    let end = deposit(&handler, 1);
    running.wait("balances", end, PATIENCE).unwrap();
    assert_eq!(running.statuses()[0].parked_count, 0);
    assert_eq!(assert_is_a_fold(&mut reader, &test.store), Some(end));
}

/// Says that it is over when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A process that projects, killed at the latest when it is dropped.
struct Projector(Child);

impl Projector {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Projector {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs this test in a process of its own, which projects.
fn project(store: &Path, database: &str) -> Child {
    let test = "killed::rows_are_a_fold_of_the_log_up_to_the_checkpoint_whenever_the_process_is_killed";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(STORE, store)
        .env(DATABASE, database)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the child does: it reads the store beside the process that writes it.
fn project_until_killed(store: &Path, database: &str) {
    let reader = Box::new(Reader::open(store).unwrap());
    let _running = Runner::new(reader).project(InPostgres::default(), model(database)).start().unwrap();
    // The pipe breaks when whoever should kill it is dead.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// Waits until the checkpoint lies beyond a position.
fn wait_beyond(reader: &mut Client, last: Option<Position>) {
    let began = Instant::now();
    let position = |reader: &mut Client| {
        let row = reader.query_opt("SELECT position FROM gesta_checkpoints WHERE position > 0", &[]).unwrap();
        row.map(|row| Position(row.get::<_, i64>(0).cast_unsigned()))
    };
    while position(reader) <= last {
        assert!(began.elapsed() < PATIENCE, "the process projects nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
}
