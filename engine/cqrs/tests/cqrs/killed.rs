//! A process with commands and projections that is killed at random moments, and begins again.

use super::child;
use super::models::balances_in;
use super::support::PATIENCE;
use super::transfers::{Branch, balances_of_log, database, file, open_accounts, transfer};
use gesta::{Options, Store};
use gesta_cqrs::sqlite::SqliteReader;
use gesta_cqrs::{ProjectionId, ReadModel, ReadView};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often the process is killed, unless `GESTA_READ_MODEL_KILLS` says otherwise.
const KILLS: u32 = 20;

fn kills() -> u32 {
    let count = std::env::var("GESTA_READ_MODEL_KILLS");
    count.map_or(KILLS, |text| text.parse().expect("GESTA_READ_MODEL_KILLS is a number"))
}

fn branch(directory: &Path) -> Branch<Store> {
    let store = Arc::new(Store::open(directory.join("store"), Options::default()).unwrap());
    Branch::open(store, directory)
}

/// Waits until the checkpoint lies beyond a position.
fn wait_beyond(directory: &Path, last: u64) {
    let began = Instant::now();
    let position = || SqliteReader::open(file(directory)).and_then(|reader| reader.position("balances"));
    // Before the process has made the file and its tables, there is nothing to look at.
    while position().map_or(0, |position| position.0) <= last {
        assert!(began.elapsed() < PATIENCE, "the process folds nothing");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn rows_are_a_fold_of_the_log_up_to_the_checkpoint_whenever_the_process_is_killed() {
    if let Some(directory) = child::directory() {
        let branch = branch(&directory);
        open_accounts(&branch.handler);
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos();
        return transfer(&branch.handler, seed.into(), u32::MAX);
    }
    let directory = tempfile::tempdir().unwrap();
    let id = ProjectionId { name: "balances".to_owned(), version: 1 };
    let (mut moved, mut checkpoint) = (0, 0);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..kills() {
        let name = "killed::rows_are_a_fold_of_the_log_up_to_the_checkpoint_whenever_the_process_is_killed";
        let mut process = child::command(name, directory.path()).stdout(Stdio::null()).spawn().unwrap();
        // One in four is killed while it starts, the others when they have folded something.
        if round % 4 != 0 {
            wait_beyond(directory.path(), checkpoint);
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_micros((random >> 33) % 100_000));
        process.kill().unwrap();
        process.wait().unwrap();
        // Opened to be written: what the dead process knew to be durable and had not marked as such is found again.
        let log = Store::open(directory.path().join("store"), Options::default()).unwrap();
        let mut model = database(directory.path());
        let Some(stands) = model.checkpoint(&id).unwrap() else { continue };
        let (rows, event_count) = balances_in(model.reader().unwrap());
        assert_eq!(rows, balances_of_log(&log, stands.position), "round {round}, at {}", stands.position);
        assert_eq!(event_count, stands.position.0, "each event was folded once");
        assert_eq!(model.parked(&id).unwrap(), []);
        moved += u32::from(stands.position.0 > checkpoint);
        checkpoint = stands.position.0;
    }
    println!("{moved} of {} processes folded something before they were killed", kills());
    assert!(moved > kills() / 2, "only {moved} lives folded anything");
    let branch = branch(directory.path());
    open_accounts(&branch.handler);
    branch.check(directory.path(), PATIENCE);
}
