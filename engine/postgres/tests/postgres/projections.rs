//! Projections into PostgreSQL: they catch up, stay live and survive what goes wrong.

use super::cluster;
use super::models::{
    FAILS, FAILS_UNSEEN, FOLDS, InPostgres, PANICS, REFUSES, balances_in, bank, deposit, model, run, wait_for,
    wait_until,
};
use super::support::{PATIENCE, stream};
use gesta::{Event, EventType, Position};
use gesta_cqrs::{ProjectionState, ReadModel, Replayed, Runner, WaitError};
use gesta_postgres::PostgresReadModel;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn a_read_model_catches_up_and_stays_live() {
    let Some(database) = cluster::database("live") else { return };
    let (test, handler) = bank();
    let running = run(&test, &database, InPostgres::default());
    let mut cents = 100;
    for round in 0_i64..20 {
        cents += round;
        running.wait("balances", deposit(&handler, round.cast_unsigned()), PATIENCE).unwrap();
        assert_eq!(balances_in(&database), (BTreeMap::from([(1, cents), (2, 100)]), 5 + round.cast_unsigned()));
    }
    let status = running.statuses().remove(0);
    assert_eq!((status.state, status.parked_count), (ProjectionState::Live, 0));
    running.stop().unwrap();
}

#[test]
fn a_read_model_goes_on_where_it_was_left() {
    let Some(database) = cluster::database("goes_on") else { return };
    let (test, handler) = bank();
    for round in 0..5 {
        let running = run(&test, &database, InPostgres::default());
        running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
        running.stop().unwrap();
        deposit(&handler, 1);
        assert_eq!(balances_in(&database).1, 5 + 2 * round);
    }
}

#[test]
fn one_runner_folds_into_several_schemas() {
    let Some(database) = cluster::database("several") else { return };
    let (test, handler) = bank();
    let schema = |name| PostgresReadModel::connect_to_schema(&database, name).unwrap();
    let running = Runner::new(Arc::clone(&test.store))
        .project(InPostgres::default(), schema("one"))
        .project(InPostgres::default(), schema("two"))
        .start()
        .unwrap();
    let position = deposit(&handler, 1);
    wait_until(|| running.statuses().iter().all(|status| status.position >= position));
    for name in ["one", "two"] {
        let row = schema(name)
            .reader()
            .unwrap()
            .into_client()
            .unwrap()
            .query_one("SELECT cents FROM balances WHERE account = 1", &[])
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), 101);
    }
}

#[test]
fn what_is_not_of_a_projection_moves_its_position_on() {
    let Some(database) = cluster::database("unrelated") else { return };
    let (test, _) = bank();
    let running = run(&test, &database, InPostgres::default());
    for _ in 0..3 {
        test.append(Event::new(EventType::new("Unrelated").unwrap()));
    }
    running.wait("balances", Position(7), PATIENCE).unwrap();
    assert_eq!(balances_in(&database).1, 4);
}

/// In PostgreSQL an error ends the transaction, so the events before the one that cannot be folded are folded again.
#[test]
fn an_event_that_cannot_be_folded_is_parked_and_can_be_replayed() {
    let ways = [
        (REFUSES, "refuses", "13 cents bring bad luck\u{fffd}"),
        (PANICS, "panics", "the projection panicked: 13"),
        (FAILS, "fails", "db error: ERROR: division by zero"),
        (FAILS_UNSEEN, "fails_unseen", "the projection went on after an error of the database"),
    ];
    for (way, name, said) in ways {
        let Some(database) = cluster::database(&format!("poison_{name}")) else { return };
        let (test, handler) = bank();
        let projection = InPostgres::that(way);
        deposit(&handler, 12);
        let unlucky = deposit(&handler, 13);
        deposit(&handler, 14);
        let running = run(&test, &database, projection.clone());
        running.wait("balances", unlucky, PATIENCE).unwrap();
        running.wait("balances", deposit(&handler, 15), PATIENCE).unwrap();
        assert_eq!(running.statuses()[0].parked_count, 1, "{name}");
        let mut model = model(&database);
        assert_eq!(balances_in(&database), (BTreeMap::from([(1, 141), (2, 100)]), 7));
        let id = running.statuses()[0].projection.clone();
        let parked = model.parked(&id).unwrap();
        assert_eq!((parked[0].position.plus(1), parked[0].event_type.as_str()), (unlucky, "Deposited"));
        assert_eq!((parked[0].reason.as_str(), parked.len()), (said, 1));
        // Nothing has changed: it stays where it is.
        let replayed = running.replay_parked("balances").unwrap();
        assert_eq!(replayed, Replayed { folded_count: 0, parked_count: 1 });
        assert_eq!(model.parked(&id).unwrap(), parked);
        projection.of_thirteen.store(FOLDS, Ordering::Relaxed);
        let replayed = running.replay_parked("balances").unwrap();
        assert_eq!(replayed, Replayed { folded_count: 1, parked_count: 0 });
        assert_eq!(model.parked(&id).unwrap(), []);
        assert_eq!(balances_in(&database), (BTreeMap::from([(1, 154), (2, 100)]), 8));
    }
}

#[test]
fn an_event_that_no_longer_parses_is_parked() {
    let Some(database) = cluster::database("unparsed") else { return };
    let (test, handler) = bank();
    test.append(Event::new(EventType::new("Deposited").unwrap()).stream(stream("account-9")).json(r#"{"cents":"x"}"#));
    let running = run(&test, &database, InPostgres::default());
    running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    let parked = model(&database).parked(&running.statuses()[0].projection).unwrap();
    assert_eq!((parked.len(), parked[0].position), (1, Position(4)));
    assert_eq!(balances_in(&database).1, 5);
}

#[test]
fn a_read_model_of_another_store_is_refused() {
    let Some(database) = cluster::database("foreign_store") else { return };
    let (test, handler) = bank();
    let running = run(&test, &database, InPostgres::default());
    running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    running.stop().unwrap();
    let (other, _) = bank();
    let running = run(&other, &database, InPostgres::default());
    let state = wait_for(&running, |state| matches!(state, ProjectionState::Failed { .. }));
    let ProjectionState::Failed { error } = state else { unreachable!() };
    assert!(error.contains("was folded from store"), "{error}");
    let ended = running.wait("balances", Position(4), PATIENCE).unwrap_err();
    assert!(matches!(ended, WaitError::Ended { .. }), "{ended}");
    assert_eq!(balances_in(&database).1, 5, "its rows are as they were");
}

#[test]
fn of_two_runners_one_waits_and_takes_over() {
    let Some(database) = cluster::database("two_runners") else { return };
    let (test, handler) = bank();
    let first = run(&test, &database, InPostgres::default());
    first.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    let second = run(&test, &database, InPostgres::default());
    wait_for(&second, |state| *state == ProjectionState::Standby);
    let position = deposit(&handler, 1);
    first.wait("balances", position, PATIENCE).unwrap();
    assert!(second.wait("balances", position, Duration::from_millis(50)).is_err());
    first.stop().unwrap();
    second.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    assert_eq!(balances_in(&database), (BTreeMap::from([(1, 103), (2, 100)]), 7));
}

#[test]
fn a_read_model_that_fails_is_tried_again_and_loses_nothing() {
    let Some(database) = cluster::database("vandal") else { return };
    let (test, handler) = bank();
    let running = run(&test, &database, InPostgres::default());
    running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    // A table that is not there is no fault of an event: nothing can be folded, so nothing can be parked either.
    let mut vandal = postgres::Client::connect(&database, postgres::NoTls).unwrap();
    vandal.batch_execute("ALTER TABLE gesta_checkpoints RENAME TO hidden").unwrap();
    let position = deposit(&handler, 1);
    let state = wait_for(&running, |state| matches!(state, ProjectionState::Retrying { failures: 2.., .. }));
    let ProjectionState::Retrying { error, .. } = state else { unreachable!() };
    assert!(error.contains("database vandal at ") && error.contains("does not exist"), "{error}");
    vandal.batch_execute("ALTER TABLE hidden RENAME TO gesta_checkpoints").unwrap();
    running.wait("balances", position, PATIENCE).unwrap();
    assert_eq!(running.statuses()[0].parked_count, 0);
    assert_eq!(balances_in(&database), (BTreeMap::from([(1, 102), (2, 100)]), 6));
}
