//! A new version of a projection builds beside the one that serves, and takes over from it.

use super::bank::AccountEvent;
use super::support::{PATIENCE, TestStore};
use gesta::{AppendRequest, Position, Store};
use gesta_cqrs::sqlite::{SqliteReadModel, SqliteReader};
use gesta_cqrs::{
    ProjectError, Projection, ProjectionState, ProjectionStatus, QueryHandler, Question, Recorded, Replayed, Runner,
    Running, WaitError, encode,
};
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What was sent to the world, and by which version.
type Sent = Arc<Mutex<Vec<(u32, Position)>>>;

/// Balances in a table of their own for each version, behind a view; each event is news to somebody once.
#[derive(Default)]
struct Balances {
    version: u32,
    sent: Sent,
    /// It waits here for a word before it folds the event at the position.
    gate: Option<(Position, Receiver<()>)>,
    is_broken: bool,
    /// It cannot fold the event there.
    refused: Option<Position>,
}

impl Projection for Balances {
    type Event = AccountEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "balances"
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        let text = "CREATE TABLE balances_v1 (account INTEGER PRIMARY KEY, cents INTEGER NOT NULL)";
        Ok(rows.execute_batch(&text.replace("v1", &format!("v{}", self.version)))?)
    }

    fn take_over(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        if self.is_broken {
            return Err("there is no such view".into());
        }
        let text = "DROP VIEW IF EXISTS balances; CREATE VIEW balances AS SELECT account, cents, 1 AS version FROM balances_v1";
        let text = text.replace("balances_v1", &format!("balances_v{}", self.version));
        Ok(rows.execute_batch(&text.replace("1 AS", &format!("{} AS", self.version)))?)
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        if let Some((position, gate)) = &self.gate
            && event.position() == *position
        {
            gate.recv().unwrap();
        }
        if self.refused == Some(event.position()) {
            return Err("it is refused".into());
        }
        let text = "INSERT INTO balances_v1 VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET cents = cents + ?2";
        rows.prepare_cached(&text.replace("v1", &format!("v{}", self.version)))?
            .execute(params![event.event.account(), event.event.cents()])?;
        if event.is_news() {
            self.sent.lock().unwrap().push((self.version, event.position()));
        }
        Ok(())
    }
}

/// What is on all accounts, and which version says so?
struct Total;

impl Question<Connection> for Total {
    type Answer = (u64, u32);

    fn name(&self) -> &str {
        "total"
    }

    fn answer(&self, rows: &Connection) -> Result<(u64, u32), Box<dyn Error + Send + Sync>> {
        let text = "SELECT coalesce(sum(cents), 0), coalesce(max(version), 0) FROM balances";
        Ok(rows.query_row(text, [], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?)))?)
    }
}

/// Deposits a cent at a time, so that the total of everything below a position is the position.
fn deposit(store: &Store, count: u32) -> Position {
    let mut request = AppendRequest::new();
    for account in 0..count {
        request = request.event(encode(&AccountEvent::Deposited { account: account % 7, cents: 1 }).unwrap());
    }
    store.append(request).unwrap().positions.end
}

fn run(test: &TestStore, file: &Path, versions: impl IntoIterator<Item = Balances>) -> Running {
    let runner = Runner::new(Arc::clone(&test.store));
    let project = |runner: Runner<_>, version| runner.project(version, SqliteReadModel::open(file).unwrap());
    versions.into_iter().fold(runner, project).start().unwrap()
}

fn database(test: &TestStore) -> PathBuf {
    test.directory.path().join("balances.sqlite")
}

fn status(running: &Running, version: u32) -> ProjectionStatus {
    running.statuses().into_iter().find(|status| status.projection.version == version).unwrap()
}

/// Waits until a version's status is as wanted.
fn await_status(running: &Running, version: u32, is_wanted: impl Fn(&ProjectionStatus) -> bool) -> ProjectionStatus {
    let began = Instant::now();
    loop {
        let status = status(running, version);
        if is_wanted(&status) {
            return status;
        }
        assert!(began.elapsed() < PATIENCE, "{status:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_earlier_version_serves_until_the_new_one_stands_where_it_stands() {
    let test = TestStore::new();
    let file = database(&test);
    let first = run(&test, &file, [Balances { version: 1, ..Balances::default() }]);
    for _ in 0..10 {
        deposit(&test.store, 1_000);
    }
    first.wait("balances", Position(10_000), PATIENCE).unwrap();
    let queries = QueryHandler::new(SqliteReader::open(&file).unwrap(), "balances");

    let (open, gate) = channel();
    let gate = Some((Position(9_000), gate));
    let second = run(&test, &file, [Balances { version: 2, gate, ..Balances::default() }]);
    let building = await_status(&second, 2, |status| status.position > Position::START);
    assert_eq!((building.state, building.is_serving), (ProjectionState::Building, false));
    assert!(building.eta.is_some_and(|eta| eta > Duration::ZERO), "{:?}", building.eta);
    assert!(building.position < Position(9_000) && building.lag > 1_000, "it waits at the gate");
    let late = second.wait("balances", Position(10_000), Duration::from_millis(1)).unwrap_err();
    assert!(matches!(late, WaitError::TimedOut { .. }), "{late}");
    let serving = queries.ask(&Total).unwrap();
    assert_eq!((serving.answer, serving.position), ((10_000, 1), Position(10_000)));

    open.send(()).unwrap();
    await_status(&second, 2, |status| status.state == ProjectionState::Live && status.is_serving);
    await_status(&first, 1, |status| status.state == ProjectionState::Superseded { by: 2 } && !status.is_serving);
    let head = deposit(&test.store, 1);
    second.wait("balances", head, PATIENCE).unwrap();
    let serving = queries.ask(&Total).unwrap();
    assert_eq!((serving.answer, serving.position), ((10_001, 2), head));
    let ended = first.wait("balances", head, PATIENCE).unwrap_err();
    assert!(matches!(&ended, WaitError::Ended { reason, .. } if reason.contains("version 2")), "{ended}");
    first.stop().unwrap();
    second.stop().unwrap();

    let again = run(&test, &file, [Balances { version: 1, ..Balances::default() }]);
    await_status(&again, 1, |status| status.state == ProjectionState::Superseded { by: 2 });
    again.stop().unwrap();
    assert_eq!(queries.ask(&Total).unwrap().answer, (10_001, 2), "old code changes nothing");
}

#[test]
fn each_event_is_news_once_while_one_version_takes_over_from_another() {
    let (test, sent) = (TestStore::new(), Sent::default());
    let file = database(&test);
    let version = |version| Balances { version, sent: Arc::clone(&sent), ..Balances::default() };
    deposit(&test.store, 500);
    let first = run(&test, &file, [version(1)]);
    let queries = QueryHandler::new(SqliteReader::open(&file).unwrap(), "balances");
    let store = Arc::clone(&test.store);
    let writer = thread::spawn(move || (0..400).fold(Position::START, |_, _| deposit(&store, 5)));
    // Versions of other runners, and two of one.
    let mut later = Vec::new();
    for versions in [vec![2], vec![3, 4], vec![6, 5]] {
        let newest = *versions.iter().max().unwrap();
        later.push(run(&test, &file, versions.into_iter().map(version)));
        await_status(later.last().unwrap(), newest, |status| status.is_serving);
        let answered = queries.ask(&Total).unwrap();
        assert_eq!((answered.answer.0, answered.answer.1), (answered.position.0, newest));
    }
    let head = writer.join().unwrap();
    later.last().unwrap().wait("balances", head, PATIENCE).unwrap();
    let replayed = later.last().unwrap().replay_parked("balances").unwrap();
    assert_eq!(replayed, Replayed::default(), "a version that is superseded is not in the way");
    first.stop().unwrap();
    later.into_iter().for_each(|running| running.stop().unwrap());
    let sent = sent.lock().unwrap();
    let positions: Vec<_> = sent.iter().map(|(_, position)| position.0).collect();
    assert_eq!(positions, (0..head.0).collect::<Vec<_>>(), "each once and in order");
    assert!(sent.is_sorted_by_key(|(version, _)| *version), "by one version after the other");
    assert_eq!(queries.ask(&Total).unwrap().answer, (head.0, 6));
}

#[test]
fn a_version_takes_over_from_one_that_nobody_folds_any_more() {
    let (test, sent) = (TestStore::new(), Sent::default());
    let file = database(&test);
    let version = |version| Balances { version, sent: Arc::clone(&sent), ..Balances::default() };
    let stood = deposit(&test.store, 100);
    let first = run(&test, &file, [version(1)]);
    first.wait("balances", stood, PATIENCE).unwrap();
    first.stop().unwrap();
    let head = deposit(&test.store, 50);
    let second = run(&test, &file, [version(2)]);
    second.wait("balances", head, PATIENCE).unwrap();
    await_status(&second, 2, |status| status.is_serving);
    second.stop().unwrap();
    let by_second: Vec<_> = sent.lock().unwrap().iter().filter(|(by, _)| *by == 2).map(|(_, at)| at.0).collect();
    assert_eq!(by_second, (stood.0..head.0).collect::<Vec<_>>());
}

#[test]
fn a_version_that_cannot_take_over_leaves_the_earlier_one_serving() {
    let test = TestStore::new();
    let file = database(&test);
    let first = run(&test, &file, [Balances { version: 1, ..Balances::default() }]);
    let head = deposit(&test.store, 20);
    first.wait("balances", head, PATIENCE).unwrap();
    let second = run(&test, &file, [Balances { version: 2, is_broken: true, ..Balances::default() }]);
    let failed = await_status(&second, 2, |status| matches!(status.state, ProjectionState::Failed { .. }));
    assert!(!failed.is_serving && format!("{:?}", failed.state).contains("no such view"), "{failed:?}");
    let head = deposit(&test.store, 1);
    first.wait("balances", head, PATIENCE).unwrap();
    let queries = QueryHandler::new(SqliteReader::open(&file).unwrap(), "balances");
    assert_eq!(queries.ask(&Total).unwrap().answer, (21, 1));
    first.stop().unwrap();
    second.stop().unwrap();
}

#[test]
fn what_is_parked_stays_news_until_it_is_folded_and_is_news_once() {
    let (test, sent) = (TestStore::new(), Sent::default());
    let file = database(&test);
    let head = deposit(&test.store, 10);
    let version = |version, refused| Balances { version, sent: Arc::clone(&sent), refused, ..Balances::default() };
    let live = |version: Balances| {
        let number = version.version;
        let running = run(&test, &file, [version]);
        running.wait("balances", head, PATIENCE).unwrap();
        let parked_count = await_status(&running, number, |status| status.is_serving).parked_count;
        let replayed = running.replay_parked("balances").unwrap();
        running.stop().unwrap();
        (parked_count, replayed.folded_count)
    };
    let refused = Some(Position(4));
    assert_eq!(live(version(1, refused)), (1, 0));
    // A step that fails is done again, what shows outside of it as well.
    let sent_by = |number| -> BTreeSet<u64> {
        sent.lock().unwrap().iter().filter(|(by, _)| *by == number).map(|(_, at)| at.0).collect()
    };
    assert_eq!((sent_by(1), sent_by(2)), ((0..10).filter(|at| *at != 4).collect(), BTreeSet::new()));
    // The next version parks it as well, and folds it when it is tried again.
    assert_eq!(live(version(2, refused)), (1, 0));
    assert_eq!(live(version(2, None)), (1, 1));
    assert_eq!(sent_by(2), BTreeSet::from([4]), "no version has sent it before");
    // One more parks what is no news any more.
    assert_eq!(live(version(3, Some(Position(6)))), (1, 0));
    assert_eq!(live(version(3, None)), (1, 1));
    assert_eq!(sent_by(3), BTreeSet::new(), "earlier versions have sent all of it");
}

#[test]
fn a_version_does_not_build_towards_one_that_is_ahead_of_the_log() {
    let test = TestStore::new();
    let file = database(&test);
    let head = deposit(&test.store, 20);
    let first = run(&test, &file, [Balances { version: 1, ..Balances::default() }]);
    first.wait("balances", head, PATIENCE).unwrap();
    first.stop().unwrap();
    let vandal = Connection::open(&file).unwrap();
    vandal.execute_batch("UPDATE gesta_checkpoints SET position = 2000").unwrap();
    let second = run(&test, &file, [Balances { version: 2, ..Balances::default() }]);
    let failed = await_status(&second, 2, |status| matches!(status.state, ProjectionState::Failed { .. }));
    assert!(format!("{:?}", failed.state).contains("balances-v1 stands at position 2000"), "{failed:?}");
    second.stop().unwrap();
}
