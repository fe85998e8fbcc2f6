//! Connections that break: ended one by one, and with the whole server.

use super::cluster::{self, Cluster};
use super::models::{InPostgres, assert_is_a_fold, bank, deposit, model, reader, run, wait_for, wait_until};
use super::support::PATIENCE;
use gesta::{Position, Uuid};
use gesta_cqrs::{Checkpoint, CommitError, ProjectionId, ProjectionState, ReadModel, Scope, Step};
use gesta_postgres::PostgresError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn id() -> ProjectionId {
    ProjectionId { name: "balances".to_owned(), version: 1 }
}

fn at(position: u64) -> Checkpoint {
    Checkpoint { store_id: Uuid::from_u128(5), position: Position(position) }
}

/// Ends every connection to the database but its own.
fn end_connections(database: &str) {
    let mut client = postgres::Client::connect(database, postgres::NoTls).unwrap();
    let text = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(!client.query(text, &[]).unwrap().is_empty());
}

#[test]
fn the_call_that_finds_the_connection_broken_says_so_and_the_next_connects_and_claims_again() {
    let Some(database) = cluster::database("ended") else { return };
    let mut holder = model(&database);
    assert!(holder.claim(&id()).unwrap());
    end_connections(&database);
    let failed = holder.checkpoint(&id()).unwrap_err();
    assert!(matches!(failed, PostgresError::Database { .. }), "{failed}");
    assert!(failed.to_string().starts_with("database ended at "), "{failed}");
    assert_eq!(holder.checkpoint(&id()).unwrap(), None);
    assert!(!model(&database).claim(&id()).unwrap(), "the claim was taken again");
}

#[test]
fn a_claim_that_another_has_taken_meanwhile_is_lost_until_it_is_free() {
    let Some(database) = cluster::database("taken") else { return };
    let mut first = model(&database);
    assert!(first.claim(&id()).unwrap());
    end_connections(&database);
    let mut second = model(&database);
    assert!(second.claim(&id()).unwrap());
    assert!(first.checkpoint(&id()).is_err());
    for _ in 0..2 {
        let lost = first.checkpoint(&id()).unwrap_err();
        assert!(matches!(lost, PostgresError::ClaimLost { .. }), "{lost}");
    }
    let claim = first.claim(&id()).unwrap_err();
    assert!(matches!(claim, PostgresError::ClaimLost { .. }), "{claim}");
    drop(second);
    wait_until(|| first.checkpoint(&id()).is_ok());
}

#[test]
fn a_connection_that_breaks_within_a_step_is_no_fault_of_the_event() {
    let Some(database) = cluster::database("within") else { return };
    let mut model = model(&database);
    let id = id();
    let begin = Step { projection: &id, scope: Scope::Whole, from: None, to: at(0), parked: &[], unparked: &[] };
    model.commit(&begin, &mut |_, _| Ok(())).unwrap();
    let next = Step { from: Some(at(0)), to: at(1), ..begin };
    let told = model.commit(&next, &mut |rows, _| {
        end_connections(&database);
        Ok(rows.batch_execute("SELECT 1")?)
    });
    assert!(matches!(told, Err(CommitError::Model(PostgresError::Database { .. }))), "{told:?}");
    let retold = model.commit(&next, &mut |rows, _| {
        end_connections(&database);
        rows.batch_execute("SELECT 1").map_err(|_| "somehow it did not work".into())
    });
    assert!(matches!(retold, Err(CommitError::Model(PostgresError::Database { .. }))), "{retold:?}");
    let unseen = model.commit(&next, &mut |_, _| {
        end_connections(&database);
        Ok(())
    });
    assert!(matches!(unseen, Err(CommitError::Model(PostgresError::Database { .. }))), "{unseen:?}");
    // What the database could not do just then is no fault of the event either.
    for code in ["40P01", "53100", "55P03", "XX001"] {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'later' USING ERRCODE = '{code}'; END $$");
        let busy = model.commit(&next, &mut |rows, _| Ok(rows.batch_execute(&raise)?));
        assert!(matches!(busy, Err(CommitError::Model(PostgresError::Database { .. }))), "{code}: {busy:?}");
    }
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(0)));
    model.commit(&next, &mut |_, _| Ok(())).unwrap();
}

/// How often the server is killed.
const KILLS: u64 = 4;

#[test]
fn a_server_that_is_killed_and_started_again_loses_nothing_and_folds_nothing_twice() {
    // A cluster of its own: the other tests would mind.
    let Some(mut cluster) = Cluster::start() else { return };
    let database = cluster.database("restarted");
    let (test, handler) = bank();
    let running = run(&test, &database, InPostgres::default());
    running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                deposit(&handler, 1);
            }
        });
        for kill in 0..KILLS {
            std::thread::sleep(Duration::from_millis(37 + 41 * kill));
            cluster.kill();
            wait_for(&running, |state| matches!(state, ProjectionState::Retrying { .. }));
            cluster.restart();
            let mut reader = reader(&database);
            let left_at = assert_is_a_fold(&mut reader, &test.store).unwrap();
            running.wait("balances", left_at.plus(1), PATIENCE).unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let end = deposit(&handler, 1);
    running.wait("balances", end, PATIENCE).unwrap();
    assert_eq!(running.statuses()[0].parked_count, 0);
    let mut reader = reader(&database);
    assert_eq!(assert_is_a_fold(&mut reader, &test.store), Some(end));
    running.stop().unwrap();
}
