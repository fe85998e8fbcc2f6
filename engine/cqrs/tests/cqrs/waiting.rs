//! Commands that wait until read models show what they did, and what others see of the projections meanwhile.

use super::bank::{Bank, Command};
use super::models::{InSqlite, balances_in};
use super::support::{PATIENCE, TestStore};
use gesta::{ProjectionBoard, ProjectionReport, Reader, Store, Uuid};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{CommandHandler, ProjectionState, Runner, Running, WaitError};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

type Handler = CommandHandler<Arc<Store>, Bank>;

/// A store with an account, and a handler.
fn bank() -> (TestStore, Handler) {
    let test = TestStore::new();
    let handler = Handler::new(Arc::clone(&test.store));
    handler.handle(&Command::Open { account: 1 }).unwrap();
    (test, handler)
}

/// A handler that waits for a projection.
fn waiting(test: &TestStore, projection: &str, timeout: Duration) -> Handler {
    Handler::new(Arc::clone(&test.store)).wait_for([projection], timeout)
}

fn deposit(cents: u64) -> Command {
    Command::Deposit { account: 1, cents }
}

fn sqlite(test: &TestStore) -> SqliteReadModel {
    SqliteReadModel::open(test.directory.path().join("balances.sqlite")).unwrap()
}

fn run(test: &TestStore, projection: InSqlite) -> Running {
    Runner::new(Arc::clone(&test.store)).project(projection, sqlite(test)).start().unwrap()
}

/// What SQLite shows of the account at this moment.
fn shown(test: &TestStore) -> i64 {
    balances_in(sqlite(test).reader().unwrap()).0[&1]
}

/// A reader as another process has one.
fn observer(test: &TestStore) -> Reader {
    Reader::open(test.directory.path().join("store")).unwrap()
}

/// Looks at the only projection until it is as it should be.
#[track_caller]
fn look<B>(board: &B, is_so: impl Fn(&ProjectionReport) -> bool) -> ProjectionReport
where
    B: Deref<Target: ProjectionBoard>,
{
    let began = Instant::now();
    loop {
        let reports = board.projections("balances").unwrap();
        if let [report] = &reports[..]
            && is_so(report)
        {
            return report.clone();
        }
        assert!(began.elapsed() < PATIENCE, "{reports:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_command_that_waits_is_shown_when_it_is_answered() {
    let (test, _) = bank();
    let _running = run(&test, InSqlite::default());
    let handler = waiting(&test, "balances", PATIENCE);
    let mut cents = 0;
    for round in 0..50 {
        let handled = handler.handle(&deposit(round)).unwrap();
        handled.waited.unwrap();
        cents += i64::try_from(round).unwrap();
        assert_eq!(shown(&test), cents);
    }
}

#[test]
fn a_command_that_comes_again_waits_for_what_it_did_first() {
    let (test, handler) = bank();
    let id = Uuid::from_u128(7);
    handler.handle_once(id, &deposit(5)).unwrap().waited.unwrap();
    let waiting = waiting(&test, "balances", PATIENCE);
    thread::scope(|scope| {
        let again = scope.spawn(|| waiting.handle_once(id, &deposit(5)).unwrap());
        let running = run(&test, InSqlite::default());
        let handled = again.join().unwrap();
        assert_eq!(handled.events, []);
        handled.waited.unwrap();
        assert_eq!(shown(&test), 5);
        running.stop().unwrap();
    });
    assert_eq!(test.events().len(), 2);
}

#[test]
fn a_command_is_done_whatever_comes_of_the_wait() {
    let (test, _) = bank();
    let brief = Duration::from_millis(20);
    let waited = |projection, cents| waiting(&test, projection, brief).handle(&deposit(cents)).unwrap().waited;
    let unknown = waited("balances", 1).unwrap_err();
    assert!(matches!(&unknown, WaitError::Unknown { projection } if projection == "balances"), "{unknown}");
    let running = run(&test, InSqlite::default());
    waiting(&test, "balances", PATIENCE).handle(&deposit(2)).unwrap().waited.unwrap();
    running.stop().unwrap();
    let late = waited("balances", 4).unwrap_err();
    assert!(matches!(&late, WaitError::TimedOut { projection, .. } if projection == "balances"), "{late}");
    let handler = Handler::new(Arc::clone(&test.store)).wait_for(["balances", "accounts"], brief);
    handler.handle(&deposit(8)).unwrap().waited.unwrap_err();
    assert_eq!(test.events().len(), 5);
    assert_eq!(shown(&test), 3);
    // A read model of another store is refused for good.
    let (other, _) = bank();
    let _running = Runner::new(Arc::clone(&other.store)).project(InSqlite::default(), sqlite(&test)).start().unwrap();
    let ended = waiting(&other, "balances", PATIENCE).handle(&deposit(1)).unwrap().waited.unwrap_err();
    assert!(matches!(&ended, WaitError::Ended { projection, .. } if projection == "balances"), "{ended}");
    assert_eq!(other.events().len(), 2);
}

#[test]
fn parked_events_are_tried_again_when_an_observer_or_the_writer_asks() {
    let (test, handler) = bank();
    let projection = InSqlite::default();
    projection.is_superstitious.store(true, Ordering::Relaxed);
    let _running = run(&test, projection.clone());
    let position = handler.handle(&deposit(13)).unwrap().position().unwrap();
    let observer = observer(&test);
    observer.wait_for_projection("balances", position, PATIENCE).unwrap();
    let report = look(&&observer, |report| report.status.position >= position);
    assert_eq!((report.status.parked_count, report.status.state), (1, ProjectionState::Live));
    // Nothing has changed: it is parked again, and the asking has come to its end.
    assert!(observer.ask_to_replay_parked("balances").unwrap());
    assert_eq!(look(&&observer, |report| !report.is_replay_due).status.parked_count, 1);
    assert_eq!(shown(&test), 0);
    projection.is_superstitious.store(false, Ordering::Relaxed);
    assert!(observer.ask_to_replay_parked("balances").unwrap());
    assert_eq!(look(&&observer, |report| !report.is_replay_due).status.parked_count, 0);
    assert_eq!(shown(&test), 13);
    projection.is_superstitious.store(true, Ordering::Relaxed);
    handler.handle(&deposit(13)).unwrap();
    look(&test.store, |report| report.status.parked_count == 1);
    projection.is_superstitious.store(false, Ordering::Relaxed);
    assert!(test.store.ask_to_replay_parked("balances").unwrap());
    look(&test.store, |report| !report.is_replay_due && report.status.parked_count == 0);
    assert_eq!(shown(&test), 26);
}

#[test]
fn a_runner_that_stands_by_hides_nothing_and_takes_over() {
    let (test, _) = bank();
    let handler = waiting(&test, "balances", PATIENCE);
    let first = run(&test, InSqlite::default());
    handler.handle(&deposit(1)).unwrap().waited.unwrap();
    let second = run(&test, InSqlite::default());
    let began = Instant::now();
    while second.statuses()[0].state != ProjectionState::Standby {
        assert!(began.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(look(&test.store, |_| true).status.state, ProjectionState::Live);
    handler.handle(&deposit(1)).unwrap().waited.unwrap();
    first.stop().unwrap();
    handler.handle(&deposit(1)).unwrap().waited.unwrap();
    assert_eq!(shown(&test), 3);
    second.stop().unwrap();
}

#[test]
fn a_command_waits_for_a_runner_of_another_process() {
    let (test, _) = bank();
    let runner = Runner::new(Arc::new(observer(&test)));
    let running = runner.project(InSqlite::default(), sqlite(&test)).start().unwrap();
    let handler = waiting(&test, "balances", PATIENCE);
    for cents in 1..3 {
        handler.handle(&deposit(cents)).unwrap().waited.unwrap();
    }
    assert_eq!(shown(&test), 3);
    running.stop().unwrap();
}
