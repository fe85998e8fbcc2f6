//! Projections: they catch up, stay live, survive what goes wrong, and can be waited for.

use super::bank::{Bank, Command};
use super::models::{InMemory, InSqlite, balances_in};
use super::support::{PATIENCE, TestStore, stream};
use gesta::{Event, EventType, Position};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{
    CommandHandler, MemoryReadModel, ProjectionState, ReadModel, ReplayError, Replayed, Runner, Running, WaitError,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A store with two accounts, 100 cents on each.
fn bank() -> (TestStore, CommandHandler<Arc<gesta::Store>, Bank>) {
    let test = TestStore::new();
    let handler = CommandHandler::new(Arc::clone(&test.store));
    for account in [1, 2] {
        handler.handle(&Command::Open { account }).unwrap();
        handler.handle(&Command::Deposit { account, cents: 100 }).unwrap();
    }
    (test, handler)
}

fn deposit(handler: &CommandHandler<Arc<gesta::Store>, Bank>, cents: u64) -> Position {
    handler.handle(&Command::Deposit { account: 1, cents }).unwrap().position().unwrap()
}

fn sqlite(test: &TestStore) -> SqliteReadModel {
    SqliteReadModel::open(test.directory.path().join("balances.sqlite")).unwrap()
}

fn run_sqlite(test: &TestStore, projection: InSqlite) -> Running {
    Runner::new(Arc::clone(&test.store)).project(projection, sqlite(test)).start().unwrap()
}

/// Waits until the only projection is doing something.
fn wait_for(running: &Running, is_so: impl Fn(&ProjectionState) -> bool) -> ProjectionState {
    let began = Instant::now();
    loop {
        let state = running.statuses().remove(0).state;
        if is_so(&state) {
            return state;
        }
        assert!(began.elapsed() < PATIENCE, "still {state:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn read_models_in_memory_and_in_sqlite_catch_up_and_stay_live() {
    let (test, handler) = bank();
    let memory = MemoryReadModel::new();
    let running = Runner::new(Arc::clone(&test.store))
        .project(InMemory, memory.clone())
        .project(InSqlite::default(), sqlite(&test))
        .start()
        .unwrap();
    let mut cents = 100;
    for round in 0..20_u32 {
        cents += i64::from(round);
        let position = deposit(&handler, round.into());
        running.wait("balances", position, PATIENCE).unwrap();
        let expected = BTreeMap::from([(1, cents), (2, 100)]);
        // Both have the same name, so the wait was for one of them.
        let all = |running: &Running| running.statuses().iter().all(|status| status.position >= position);
        while !all(&running) {
            std::thread::yield_now();
        }
        assert_eq!(memory.read(|balances, _| balances.clone()), expected);
        let (balances, events) = balances_in(sqlite(&test).reader().unwrap());
        assert_eq!((balances, events), (expected, 5 + u64::from(round)));
    }
    for status in running.statuses() {
        assert_eq!((status.state, status.parked_count), (ProjectionState::Live, 0));
    }
    running.stop().unwrap();
}

#[test]
fn a_read_model_goes_on_where_it_was_left() {
    let (test, handler) = bank();
    for round in 0..5 {
        let running = run_sqlite(&test, InSqlite::default());
        running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
        running.stop().unwrap();
        deposit(&handler, 1);
        assert_eq!(balances_in(sqlite(&test).reader().unwrap()).1, 5 + 2 * round);
    }
}

#[test]
fn what_is_not_of_a_projection_moves_its_position_on() {
    let (test, _) = bank();
    let running = run_sqlite(&test, InSqlite::default());
    for _ in 0..3 {
        test.append(Event::new(EventType::new("Unrelated").unwrap()));
    }
    running.wait("balances", Position(7), PATIENCE).unwrap();
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()).1, 4);
}

#[test]
fn waiting_ends_by_itself() {
    let (test, _) = bank();
    let running = run_sqlite(&test, InSqlite::default());
    let brief = Duration::from_millis(20);
    let late = running.wait("balances", Position(1_000), brief).unwrap_err();
    assert!(matches!(late, WaitError::TimedOut { wanted: Position(1_000), .. }), "{late}");
    let unknown = running.wait("accounts", Position(0), brief).unwrap_err();
    assert!(matches!(unknown, WaitError::Unknown { .. }), "{unknown}");
}

#[test]
fn an_event_that_cannot_be_folded_is_parked_and_can_be_replayed() {
    for panics in [false, true] {
        let (test, handler) = bank();
        let projection = InSqlite { panics, ..InSqlite::default() };
        projection.is_superstitious.store(true, Ordering::Relaxed);
        deposit(&handler, 12);
        let unlucky = deposit(&handler, 13);
        deposit(&handler, 14);
        let running = run_sqlite(&test, projection.clone());
        running.wait("balances", unlucky, PATIENCE).unwrap();
        running.wait("balances", deposit(&handler, 15), PATIENCE).unwrap();
        assert_eq!(running.statuses()[0].parked_count, 1);
        let mut model = sqlite(&test);
        assert_eq!(balances_in(model.reader().unwrap()), (BTreeMap::from([(1, 141), (2, 100)]), 7));
        let id = running.statuses()[0].projection.clone();
        let parked = model.parked(&id).unwrap();
        assert_eq!((parked[0].position.plus(1), parked[0].event_type.as_str()), (unlucky, "Deposited"));
        let said = if panics { "the projection panicked: 13" } else { "13 cents bring bad luck" };
        assert_eq!((parked[0].reason.as_str(), parked.len()), (said, 1));
        // Nothing has changed: it stays where it is.
        let replayed = running.replay_parked("balances").unwrap();
        assert_eq!(replayed, Replayed { folded_count: 0, parked_count: 1 });
        assert_eq!(model.parked(&id).unwrap(), parked);
        projection.is_superstitious.store(false, Ordering::Relaxed);
        let replayed = running.replay_parked("balances").unwrap();
        assert_eq!(replayed, Replayed { folded_count: 1, parked_count: 0 });
        assert_eq!(model.parked(&id).unwrap(), []);
        assert_eq!(balances_in(model.reader().unwrap()), (BTreeMap::from([(1, 154), (2, 100)]), 8));
        assert!(matches!(running.replay_parked("accounts"), Err(ReplayError::Unknown { .. })));
    }
}

#[test]
fn many_events_that_cannot_be_folded_are_parked_one_and_all() {
    let (test, handler) = bank();
    let projection = InSqlite::default();
    projection.is_superstitious.store(true, Ordering::Relaxed);
    let memory = MemoryReadModel::new();
    let running = Runner::new(Arc::clone(&test.store))
        .project(projection.clone(), sqlite(&test))
        .project(InMemory, memory.clone())
        .start()
        .unwrap();
    for _ in 0..30 {
        deposit(&handler, 13);
        deposit(&handler, 1);
    }
    let position = deposit(&handler, 1);
    let all = || running.statuses().iter().all(|status| status.position >= position);
    let began = Instant::now();
    while !all() {
        assert!(began.elapsed() < PATIENCE, "{:?}", running.statuses());
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(running.statuses()[0].parked_count, 30);
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()), (BTreeMap::from([(1, 131), (2, 100)]), 35));
    memory.read(|balances, _| assert_eq!(balances[&1], 131 + 30 * 13));
    projection.is_superstitious.store(false, Ordering::Relaxed);
    let replayed = running.replay_parked("balances").unwrap();
    assert_eq!(replayed, Replayed { folded_count: 30, parked_count: 0 });
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()), (BTreeMap::from([(1, 521), (2, 100)]), 65));
}

#[test]
fn of_a_backlog_of_many_batches_nothing_is_lost_or_folded_twice() {
    let (test, _) = bank();
    let deposit = |cents: u64| {
        let event = Event::new(EventType::new("Deposited").unwrap()).stream(stream("account-1"));
        event.json(format!(r#"{{"account":1,"cents":{cents}}}"#))
    };
    let garbled = || Event::new(EventType::new("Deposited").unwrap()).json(r#"{"cents":"x"}"#);
    // Some of each batch is parked, and in one of them so much that the rest is read anew.
    let is_unlucky = |ordinal: u64| ordinal.is_multiple_of(2_500) || (6_000..6_010).contains(&ordinal);
    let event = |ordinal: u64| match ordinal {
        5_000 => garbled(),
        _ if is_unlucky(ordinal) => deposit(13),
        _ => deposit(1),
    };
    let unlucky_count = (0..10_000).filter(|ordinal| is_unlucky(*ordinal)).count() as u64;
    for from in (0..10_000).step_by(250) {
        let events: Vec<_> = (from..from + 250).map(event).collect();
        test.store.append(gesta::AppendRequest::new().events(events)).unwrap();
    }
    let projection = InSqlite::default();
    projection.is_superstitious.store(true, Ordering::Relaxed);
    let running = run_sqlite(&test, projection.clone());
    running.wait("balances", Position(10_004), PATIENCE).unwrap();
    let status = running.statuses().remove(0);
    assert_eq!(status.parked_count, unlucky_count);
    let folded = 10_000 - unlucky_count;
    let balances = |folded: u64| BTreeMap::from([(1, 100 + i64::try_from(folded).unwrap()), (2, 100)]);
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()), (balances(folded), 4 + folded));
    let parked = sqlite(&test).parked(&status.projection).unwrap();
    let expected: Vec<_> = (0..10_000).filter(|ordinal| is_unlucky(*ordinal)).map(|it| Position(it + 4)).collect();
    assert_eq!(parked.iter().map(|parked| parked.position).collect::<Vec<_>>(), expected);
    let garbled: Vec<_> = parked.iter().filter(|parked| !parked.reason.contains("bad luck")).collect();
    assert!(garbled[0].reason.contains("its data is not what the variant holds"), "{}", garbled[0].reason);
    assert_eq!((garbled.len(), garbled[0].position), (1, Position(5_004)));
}

#[test]
fn a_read_model_in_memory_goes_on_with_the_next_runner() {
    let (test, handler) = bank();
    let memory = MemoryReadModel::new();
    let run = || Runner::new(Arc::clone(&test.store)).project(InMemory, memory.clone()).start().unwrap();
    let first = run();
    first.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    let second = run();
    wait_for(&second, |state| *state == ProjectionState::Standby);
    assert!(matches!(second.replay_parked("balances"), Err(ReplayError::NotFolding { .. })));
    first.stop().unwrap();
    second.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    memory.read(|balances, position| assert_eq!((balances[&1], position), (102, Position(6))));
}

#[test]
fn an_event_that_no_longer_parses_is_parked() {
    let (test, handler) = bank();
    test.append(Event::new(EventType::new("Deposited").unwrap()).stream(stream("account-9")).json(r#"{"cents":"x"}"#));
    let running = run_sqlite(&test, InSqlite::default());
    running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    let parked = sqlite(&test).parked(&running.statuses()[0].projection).unwrap();
    assert_eq!((parked.len(), parked[0].position), (1, Position(4)));
    assert!(parked[0].reason.contains("its data is not what the variant holds"), "{}", parked[0].reason);
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()).1, 5);
}

#[test]
fn a_read_model_of_another_store_is_refused() {
    let (test, handler) = bank();
    let running = run_sqlite(&test, InSqlite::default());
    running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    running.stop().unwrap();
    let (other, _) = bank();
    let running = Runner::new(Arc::clone(&other.store)).project(InSqlite::default(), sqlite(&test)).start().unwrap();
    let state = wait_for(&running, |state| matches!(state, ProjectionState::Failed { .. }));
    let ProjectionState::Failed { error } = state else { unreachable!() };
    assert!(error.contains("was folded from store"), "{error}");
    let ended = running.wait("balances", Position(4), PATIENCE).unwrap_err();
    assert!(matches!(ended, WaitError::Ended { .. }), "{ended}");
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()).1, 5, "its rows are as they were");
}

#[test]
fn of_two_runners_one_waits_and_takes_over() {
    let (test, handler) = bank();
    let first = run_sqlite(&test, InSqlite::default());
    first.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    let second = run_sqlite(&test, InSqlite::default());
    wait_for(&second, |state| *state == ProjectionState::Standby);
    let position = deposit(&handler, 1);
    first.wait("balances", position, PATIENCE).unwrap();
    assert!(second.wait("balances", position, Duration::from_millis(50)).is_err());
    first.stop().unwrap();
    second.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()), (BTreeMap::from([(1, 103), (2, 100)]), 7));
}

#[test]
fn a_read_model_that_fails_is_tried_again_and_loses_nothing() {
    let (test, handler) = bank();
    let running = run_sqlite(&test, InSqlite::default());
    running.wait("balances", deposit(&handler, 1), PATIENCE).unwrap();
    // A table that is not there is no fault of an event: nothing can be folded, so nothing can be parked either.
    let vandal = rusqlite::Connection::open(test.directory.path().join("balances.sqlite")).unwrap();
    vandal.execute_batch("ALTER TABLE gesta_checkpoints RENAME TO hidden").unwrap();
    let position = deposit(&handler, 1);
    wait_for(&running, |state| matches!(state, ProjectionState::Retrying { failures: 2.., .. }));
    vandal
        .execute_batch("DROP TABLE IF EXISTS gesta_checkpoints; ALTER TABLE hidden RENAME TO gesta_checkpoints")
        .unwrap();
    running.wait("balances", position, PATIENCE).unwrap();
    assert_eq!(running.statuses()[0].parked_count, 0);
    assert_eq!(balances_in(sqlite(&test).reader().unwrap()), (BTreeMap::from([(1, 102), (2, 100)]), 6));
}
