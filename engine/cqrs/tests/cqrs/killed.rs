//! A process with commands and projections that is killed at random moments, and begins again.

use super::child;
use super::models::balances_in;
use super::support::PATIENCE;
use super::transfers::{Branch, balances_of_log, database, open_accounts, transfer};
use gesta::{Options, Store};
use gesta_cqrs::{ProjectionId, ReadModel};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often the process is killed, unless `GESTA_KILLS` says otherwise.
const KILLS: u32 = 20;

fn kills() -> u32 {
    std::env::var("GESTA_KILLS").map_or(KILLS, |text| text.parse().expect("GESTA_KILLS is a number"))
}

fn branch(directory: &Path) -> Branch<Store> {
    let store = Arc::new(Store::open(directory.join("store"), Options::default()).unwrap());
    Branch::open(store, directory)
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
    for round in 0..kills() {
        let name = "killed::rows_are_a_fold_of_the_log_up_to_the_checkpoint_whenever_the_process_is_killed";
        let mut process = child::command(name, directory.path()).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(40 + u64::from(round * 37 % 160)));
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
    assert!(moved > kills() / 2, "only {moved} lives folded anything");
    let branch = branch(directory.path());
    open_accounts(&branch.handler);
    branch.check(directory.path(), PATIENCE);
}
