//! Rebuilds in several parts come to the same rows as one fold in order, also when they are broken off.

use super::bank::AccountEvent;
use super::child;
use super::support::{PATIENCE, TestStore};
use gesta::{AppendRequest, Options, PartitionKey, Position, Store};
use gesta_cqrs::sqlite::{SqliteReadModel, SqliteReader};
use gesta_cqrs::{
    MemoryReadModel, OpenError, ProjectError, Projection, ProjectionId, ProjectionState, ReadModel, Rebuild,
    RebuildError, Rebuilt, Recorded, Replayed, Runner, TryLater, encode,
};
use rusqlite::{Transaction, params};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Per account: a digest of its events in their order, and how many there were.
type Digests = BTreeMap<u32, (i64, i64)>;

/// Folds digests, which tell each order of events from each other.
#[derive(Clone, Default)]
struct InSqlite {
    version: u32,
    /// The cents of a deposit that it cannot fold; 0: none.
    refused: Arc<AtomicU64>,
    /// The cents of a deposit that it will fold later; 0: none.
    delayed: Arc<AtomicU64>,
    /// How many events were news.
    news: Arc<AtomicU64>,
}

fn next(digest: i64, event: &AccountEvent) -> i64 {
    (digest * 31 + event.cents()) % 1_000_000_007
}

impl Projection for InSqlite {
    type Event = AccountEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "digests"
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        let text =
            "CREATE TABLE digests_v1 (account INTEGER PRIMARY KEY, digest INTEGER NOT NULL, events INTEGER NOT NULL)";
        Ok(rows.execute_batch(&text.replace("v1", &format!("v{}", self.version)))?)
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        let cents = event.event.cents().cast_unsigned();
        if cents == self.refused.load(Ordering::Relaxed) {
            return Err("it is refused".into());
        }
        if cents == self.delayed.load(Ordering::Relaxed) {
            return Err(TryLater("it is delayed".into()).into());
        }
        let table = format!("digests_v{}", self.version);
        let account = event.event.account();
        let text = format!("SELECT digest, events FROM {table} WHERE account = ?1");
        let mut statement = rows.prepare_cached(&text)?;
        let mut found = statement.query_map([account], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (digest, events): (i64, i64) = found.next().transpose()?.unwrap_or_default();
        let text = format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2, ?3)");
        rows.prepare_cached(&text)?.execute(params![account, next(digest, &event.event), events + 1])?;
        self.news.fetch_add(u64::from(event.is_news()), Ordering::Relaxed);
        Ok(())
    }
}

/// Folds the same into memory.
struct InMemory;

impl Projection for InMemory {
    type Event = AccountEvent;
    type Model = MemoryReadModel<Digests>;

    fn name(&self) -> &str {
        "digests"
    }

    fn set_up(&self, _: &mut Digests) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, rows: &mut Digests, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        let (digest, events) = rows.entry(event.event.account()).or_default();
        (*digest, *events) = (next(*digest, &event.event), *events + 1);
        Ok(())
    }
}

/// The `number`th event.
fn event(number: u32) -> AccountEvent {
    AccountEvent::Deposited { account: number * 7 % 53, cents: u64::from(number) + 1 }
}

fn fill(store: &Store, numbers: std::ops::Range<u32>) {
    for first in numbers.clone().step_by(500) {
        let numbers = first..(first + 500).min(numbers.end);
        let request = numbers.map(|number| encode(&event(number)).unwrap());
        store.append(request.fold(AppendRequest::new(), AppendRequest::event)).unwrap();
    }
}

fn expected(count: u32) -> Digests {
    (0..count).map(event).fold(Digests::new(), |mut digests, event| {
        let (digest, events) = digests.entry(event.account()).or_default();
        (*digest, *events) = (next(*digest, &event), *events + 1);
        digests
    })
}

fn digests_in(file: &Path, version: u32) -> Digests {
    let database = SqliteReader::open(file).unwrap().into_connection();
    let mut statement = database.prepare(&format!("SELECT account, digest, events FROM digests_v{version}")).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn in_parts(store: &Store, count: u32) -> Rebuild<&Store> {
    Rebuild::new(store, PartitionKey::Stream).parts(NonZeroU32::new(count).unwrap())
}

fn rebuild(store: &Store, count: u32, file: &Path, projection: &InSqlite) -> Result<Rebuilt, RebuildError> {
    in_parts(store, count).run(|| Ok((projection.clone(), SqliteReadModel::open(file)?)))
}

fn first_version() -> InSqlite {
    InSqlite { version: 1, ..InSqlite::default() }
}

#[test]
fn parts_come_to_the_same_rows_as_one_fold_in_order() {
    let test = TestStore::new();
    fill(&test.store, 0..10_000);
    for count in 1..=3 {
        let file = test.directory.path().join(format!("{count}.sqlite"));
        let projection = first_version();
        let rebuilt = rebuild(&test.store, count, &file, &projection).unwrap();
        assert_eq!(rebuilt, Rebuilt { position: Position(10_000), parked_count: 0, is_serving: true });
        assert_eq!(digests_in(&file, 1), expected(10_000));
        assert_eq!(projection.news.load(Ordering::Relaxed), 0);
        let again = rebuild(&test.store, count, &file, &projection).unwrap_err();
        assert!(matches!(again, RebuildError::HasRows { position: Position(10_000), .. }), "{again}");

        let memory = MemoryReadModel::new();
        let rebuilt = in_parts(&test.store, count).run(|| Ok((InMemory, memory.clone()))).unwrap();
        assert_eq!(rebuilt.position, Position(10_000));
        assert_eq!(
            memory.read(|rows: &Digests, position| (rows.clone(), position)),
            (expected(10_000), Position(10_000))
        );
    }
    let file = test.directory.path().join("2.sqlite");
    fill(&test.store, 10_000..10_100);
    let projection = first_version();
    let model = SqliteReadModel::open(&file).unwrap();
    let running = Runner::new(Arc::clone(&test.store)).project(projection.clone(), model).start().unwrap();
    running.wait("digests", Position(10_100), PATIENCE).unwrap();
    running.stop().unwrap();
    assert_eq!(digests_in(&file, 1), expected(10_100));
    assert_eq!(projection.news.load(Ordering::Relaxed), 100, "a runner goes on with what is new");
}

#[test]
fn a_rebuild_takes_over_from_the_version_that_serves() {
    let test = TestStore::new();
    let file = test.directory.path().join("rows.sqlite");
    fill(&test.store, 0..6_000);
    let model = || SqliteReadModel::open(&file).unwrap();
    let first = Runner::new(Arc::clone(&test.store)).project(first_version(), model()).start().unwrap();
    first.wait("digests", Position(6_000), PATIENCE).unwrap();
    let held = rebuild(&test.store, 2, &file, &first_version()).unwrap_err();
    assert!(matches!(held, RebuildError::Claimed { .. }), "{held}");
    first.stop().unwrap();
    fill(&test.store, 6_000..6_010);
    let second = InSqlite { version: 2, ..InSqlite::default() };
    let rebuilt = rebuild(&test.store, 2, &file, &second).unwrap();
    assert_eq!(rebuilt, Rebuilt { position: Position(6_000), parked_count: 0, is_serving: true });
    let late = rebuild(&test.store, 2, &file, &first_version()).unwrap_err();
    assert!(matches!(late, RebuildError::Superseded { by: 2, .. }), "{late}");
    let running = Runner::new(Arc::clone(&test.store)).project(second.clone(), model()).start().unwrap();
    running.wait("digests", Position(6_010), PATIENCE).unwrap();
    running.stop().unwrap();
    assert_eq!(digests_in(&file, 2), expected(6_010));
    assert_eq!(second.news.load(Ordering::Relaxed), 10, "what the first version has not seen");
}

#[test]
fn a_rebuild_that_was_broken_off_goes_on_with_as_many_parts() {
    let test = TestStore::new();
    let file = test.directory.path().join("rows.sqlite");
    fill(&test.store, 0..20_000);
    let projection = first_version();
    projection.delayed.store(18_001, Ordering::Relaxed);
    let failed = rebuild(&test.store, 2, &file, &projection).unwrap_err();
    assert!(matches!(&failed, RebuildError::Model { reason, .. } if reason.contains("delayed")), "{failed}");
    let id = ProjectionId { name: "digests".to_owned(), version: 1 };
    let parts = SqliteReadModel::open(&file).unwrap().parts(&id).unwrap();
    assert!(parts.len() == 2 && parts.iter().any(|(_, stands)| stands.position > Position::START), "{parts:?}");
    let other = rebuild(&test.store, 3, &file, &projection).unwrap_err();
    assert!(matches!(other, RebuildError::OtherParts { part_count: 2, .. }), "{other}");
    let by_tag = Rebuild::new(&*test.store, PartitionKey::Tag("account".to_owned())).parts(NonZeroU32::new(2).unwrap());
    let other = by_tag.run(|| Ok((projection.clone(), SqliteReadModel::open(&file)?))).unwrap_err();
    assert!(matches!(other, RebuildError::OtherParts { part_count: 2, .. }), "another key: {other}");
    let model = SqliteReadModel::open(&file).unwrap();
    let running = Runner::new(Arc::clone(&test.store)).project(projection.clone(), model).start().unwrap();
    let ended = running.wait("digests", Position(1), PATIENCE).unwrap_err();
    assert!(ended.to_string().contains("not finished"), "{ended}");
    running.stop().unwrap();

    projection.delayed.store(0, Ordering::Relaxed);
    projection.refused.store(18_001, Ordering::Relaxed);
    let rebuilt = rebuild(&test.store, 2, &file, &projection).unwrap();
    assert_eq!(rebuilt.position, Position(20_000));
    let rows = digests_in(&file, 1);
    let folded: i64 = rows.values().map(|(_, events)| events).sum();
    assert_eq!(folded.cast_unsigned() + rebuilt.parked_count, 20_000, "each event was folded once");
    assert_eq!(rebuilt.parked_count, 1);
    projection.refused.store(0, Ordering::Relaxed);
    let model = SqliteReadModel::open(&file).unwrap();
    let running = Runner::new(Arc::clone(&test.store)).project(projection, model).start().unwrap();
    running.wait("digests", Position(20_000), PATIENCE).unwrap();
    assert_eq!(running.replay_parked("digests").unwrap(), Replayed { folded_count: 1, parked_count: 0 });
    running.stop().unwrap();
}

#[test]
fn parts_that_are_not_where_the_whole_is_do_not_join() {
    let test = TestStore::new();
    fill(&test.store, 0..1_000);
    let memories = in_parts(&test.store, 2).run(|| Ok((InMemory, MemoryReadModel::new()))).unwrap_err();
    assert!(matches!(memories, RebuildError::OtherRows { cut: Position(1_000), .. }), "{memories}");
    let file = test.directory.path().join("rows.sqlite");
    let id = ProjectionId { name: "digests".to_owned(), version: 1 };
    let projection = first_version();
    projection.delayed.store(900, Ordering::Relaxed);
    rebuild(&test.store, 2, &file, &projection).unwrap_err();
    projection.delayed.store(0, Ordering::Relaxed);
    // As if the log had been put back to an earlier time.
    let vandal = rusqlite::Connection::open(&file).unwrap();
    vandal.execute_batch("UPDATE gesta_parts SET position = 2000 WHERE part = 1").unwrap();
    let ahead = rebuild(&test.store, 2, &file, &projection).unwrap_err();
    assert!(matches!(ahead, RebuildError::Open(OpenError::Ahead { position: Position(2_000), .. })), "{ahead}");
    assert_eq!(SqliteReadModel::open(&file).unwrap().checkpoint(&id).unwrap().unwrap().position, Position::START);
}

#[test]
fn parts_that_are_killed_go_on_where_their_checkpoints_stand() {
    if let Some(directory) = child::directory() {
        let store = Store::open(directory.join("store"), Options::default()).unwrap();
        rebuild(&store, 2, &directory.join("rows.sqlite"), &first_version()).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("store"), Options::default()).unwrap();
    fill(&store, 0..60_000);
    store.close().unwrap();
    let file = directory.path().join("rows.sqlite");
    let id = ProjectionId { name: "digests".to_owned(), version: 1 };
    let (mut broken_off, mut round) = (0, 0);
    loop {
        let name = "rebuilds::parts_that_are_killed_go_on_where_their_checkpoints_stand";
        let mut process = child::command(name, directory.path()).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(30 + round * 37 % 160));
        process.kill().unwrap();
        process.wait().unwrap();
        round += 1;
        let mut model = SqliteReadModel::open(&file).unwrap();
        let parts = model.parts(&id).unwrap();
        if parts.is_empty() && model.checkpoint(&id).unwrap().is_some_and(|stands| stands.position > Position::START) {
            break;
        }
        broken_off += u32::from(parts.iter().any(|(_, stands)| stands.position > Position::START));
        assert!(round < 1_000, "it does not get on: {parts:?}");
    }
    assert!(broken_off > 0, "it was never broken off on its way, in {round} rounds");
    assert_eq!(digests_in(&file, 1), expected(60_000));
    let store = Arc::new(Store::open(directory.path().join("store"), Options::default()).unwrap());
    let model = SqliteReadModel::open(&file).unwrap();
    let running = Runner::new(store).project(first_version(), model).start().unwrap();
    running.wait("digests", Position(60_000), PATIENCE).unwrap();
    assert_eq!(running.statuses().remove(0).state, ProjectionState::Live);
    running.stop().unwrap();
}
