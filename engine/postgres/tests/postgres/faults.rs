//! A database that is slow and a disk that is full: nothing is parked that can be folded later, and everything goes on by
//! itself.

#[path = "../../../store/tests/store/mounted.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod mounted;

use super::bank::{Bank, Command};
use super::cluster::{self, Cluster, user};
use super::models::{InPostgres, assert_is_a_fold, bank, deposit, model, reader, run, wait_for};
use super::support::{PATIENCE, TestStore};
use gesta::{EventReader, Store};
use gesta_cqrs::{CommandHandler, ProjectionState, ReadModel, Running};
use mounted::Mounted;
use postgres::{Client, NoTls};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::Path;
use std::sync::Arc;

/// Waits until the projection has failed again and again, and has parked nothing; returns what it says.
fn wait_until_retrying(running: &Running) -> String {
    let state = wait_for(running, |state| matches!(state, ProjectionState::Retrying { failures: 4.., .. }));
    let ProjectionState::Retrying { error, .. } = state else { unreachable!() };
    assert_eq!(running.statuses()[0].parked_count, 0, "{error}");
    error
}

/// Asserts that the projection goes on by itself, and has lost and parked nothing.
fn assert_goes_on(running: &Running, database: &str, test: &TestStore) {
    let head = EventReader::head(&*test.store).unwrap();
    running.wait("balances", head, PATIENCE).unwrap();
    let status = running.statuses().remove(0);
    assert_eq!(status.parked_count, 0);
    assert_eq!(model(database).parked(&status.projection).unwrap(), []);
    assert_eq!(assert_is_a_fold(&mut reader(database), &test.store), Some(head));
}

#[test]
fn a_row_that_somebody_keeps_locked_is_waited_for() {
    let ways = [
        ("statement", "canceling statement due to statement timeout"),
        ("lock", "canceling statement due to lock timeout"),
    ];
    for (kind, said) in ways {
        let Some(database) = cluster::database(&format!("locked_{kind}")) else { return };
        let (test, commands) = bank();
        let impatient = format!("{database} options='-c {kind}_timeout=50'");
        let running = run(&test, &impatient, InPostgres::default());
        running.wait("balances", deposit(&commands, 1), PATIENCE).unwrap();
        let mut other = Client::connect(&database, NoTls).unwrap();
        let mut holding = other.transaction().unwrap();
        holding.execute("SELECT FROM balances WHERE account = 1 FOR UPDATE", &[]).unwrap();
        deposit(&commands, 1);
        let error = wait_until_retrying(&running);
        assert!(error.contains(said), "{error}");
        holding.rollback().unwrap();
        assert_goes_on(&running, &database, &test);
    }
}

#[test]
fn a_disk_that_is_full_parks_nothing_and_goes_on_when_there_is_room() {
    let Some(disk) = Mounted::in_memory("1m") else { return };
    // A cluster of its own, which ends before its disk does.
    let Some(cluster) = Cluster::start() else { return };
    if let Some((user, group)) = user() {
        chown(disk.path(), Some(user), Some(group)).unwrap();
    }
    let database = cluster.database("cramped");
    let mut owner = Client::connect(&database, NoTls).unwrap();
    owner.batch_execute(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.path().display())).unwrap();
    let (test, commands) = bank();
    // The tables of the projection and ours.
    let running = run(&test, &format!("{database} options='-c default_tablespace=small'"), InPostgres::default());
    running.wait("balances", deposit(&commands, 1), PATIENCE).unwrap();
    let filler = disk.path().join("filler");
    fill(&filler);
    open_until_stuck(&commands, &running);
    let error = wait_until_retrying(&running);
    assert!(error.contains("database cramped at ") && error.contains("No space left on device"), "{error}");
    fs::remove_file(filler).unwrap();
    assert_goes_on(&running, &database, &test);
    running.stop().unwrap();
}

/// Opens accounts, each of which is a row more, until the projection cannot go on.
fn open_until_stuck(commands: &CommandHandler<Arc<Store>, Bank>, running: &Running) {
    for account in 3..20_000 {
        commands.handle(&Command::Open { account }).unwrap();
        if let ProjectionState::Retrying { .. } = running.statuses()[0].state {
            return;
        }
    }
    panic!("it goes on: {:?}", running.statuses());
}

/// Writes to a file until its disk is full.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}
