//! What befalls the disk under a projection: a database that is locked, one that is full, and a log that is damaged. Nothing
//! is parked that can be folded later, and everything goes on by itself.

#[path = "../../../store/tests/store/mounted.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod mounted;

use super::bank::{AccountEvent, Bank, Command};
use super::models::{InSqlite, balances_in};
use super::support::{PATIENCE, TestStore};
use super::transfers::balances_of_log;
use gesta::{EventReader, Options, Store};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{
    CommandHandler, HandleError, ProjectError, Projection, ProjectionState, ReadModel, Recorded, Replayed, Runner,
    Running,
};
use mounted::Mounted;
use rusqlite::Transaction;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Folds balances over a connection that waits for nobody for long, into a file of so many pages at most.
#[derive(Clone)]
struct Constrained {
    balances: InSqlite,
    pages_max: Arc<AtomicU32>,
}

/// As many pages as SQLite can count.
const ROOM: u32 = u32::MAX - 1;

impl Constrained {
    fn new() -> Self {
        Self { balances: InSqlite::default(), pages_max: Arc::new(AtomicU32::new(ROOM)) }
    }
}

impl Projection for Constrained {
    type Event = AccountEvent;
    type Model = SqliteReadModel;

    fn name(&self) -> &str {
        "balances"
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        rows.busy_timeout(Duration::from_millis(20))?;
        self.balances.set_up(rows)
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        // Fewer pages than the file has are as many as it has.
        let pages_max = self.pages_max.load(Ordering::Relaxed);
        rows.pragma_update_and_check(None, "max_page_count", pages_max, |_| Ok(()))?;
        self.balances.project(rows, event)
    }
}

/// A bank with a read model that is being folded.
struct Folded {
    commands: CommandHandler<Arc<Store>, Bank>,
    running: Running,
    file: PathBuf,
    test: TestStore,
}

impl Folded {
    fn new(projection: impl Projection<Model = SqliteReadModel>, file: PathBuf, test: TestStore) -> Self {
        let commands = CommandHandler::new(Arc::clone(&test.store));
        let model = SqliteReadModel::open(&file).unwrap();
        let running = Runner::new(Arc::clone(&test.store)).project(projection, model).start().unwrap();
        let folded = Self { commands, running, file, test };
        folded.open(0);
        folded.wait();
        folded
    }

    fn open(&self, account: u32) {
        self.commands.handle(&Command::Open { account }).unwrap();
    }

    /// Opens accounts, each of which is a row more, until the projection cannot go on.
    fn open_until_stuck(&self) -> String {
        for account in 1..20_000 {
            self.open(account);
            if let ProjectionState::Retrying { .. } = self.running.statuses()[0].state {
                return self.wait_until_retrying();
            }
        }
        panic!("it goes on: {:?}", self.running.statuses());
    }

    /// Waits until the projection has failed again and again; returns what it says.
    fn wait_until_retrying(&self) -> String {
        let began = Instant::now();
        loop {
            let status = self.running.statuses().remove(0);
            if let ProjectionState::Retrying { error, failures: 4.. } = status.state {
                assert_eq!(status.parked_count, 0, "{error}");
                return error;
            }
            assert!(began.elapsed() < PATIENCE, "still {status:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn wait(&self) {
        let head = EventReader::head(&*self.test.store).unwrap();
        self.running.wait("balances", head, PATIENCE).unwrap();
    }

    /// Asserts that it goes on by itself, and has lost and parked nothing.
    fn check(self) {
        self.wait();
        let status = self.running.statuses().remove(0);
        assert_eq!(status.parked_count, 0);
        self.running.stop().unwrap();
        let mut model = SqliteReadModel::open(&self.file).unwrap();
        assert_eq!(model.parked(&status.projection).unwrap(), []);
        let truth = balances_of_log(&*self.test.store, status.position);
        assert_eq!(balances_in(model.reader().unwrap()), (truth, status.position.0));
    }
}

fn file_of(test: &TestStore) -> PathBuf {
    test.directory.path().join("balances.sqlite")
}

#[test]
fn a_database_that_somebody_keeps_locked_is_waited_for() {
    let test = TestStore::new();
    let folded = Folded::new(Constrained::new(), file_of(&test), test);
    let other = rusqlite::Connection::open(&folded.file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    folded.open(1);
    let said = folded.wait_until_retrying();
    assert!(said.contains("balances.sqlite: database is locked"), "{said}");
    other.execute_batch("COMMIT").unwrap();
    folded.check();
}

// What SQLite says of a full database was taken for the fault of the event that met it: one after the other was parked, for
// as long as the checkpoint still found room.
#[test]
fn a_database_that_is_full_parks_nothing_and_goes_on_when_there_is_room() {
    let test = TestStore::new();
    let projection = Constrained::new();
    let folded = Folded::new(projection.clone(), file_of(&test), test);
    projection.pages_max.store(1, Ordering::Relaxed);
    let said = folded.open_until_stuck();
    assert!(said.contains("balances.sqlite: database or disk is full"), "{said}");
    projection.pages_max.store(ROOM, Ordering::Relaxed);
    folded.check();
}

#[test]
fn a_disk_that_is_full_parks_nothing_and_goes_on_when_there_is_room() {
    let Some(disk) = Mounted::in_memory("512k") else { return };
    let folded = Folded::new(InSqlite::default(), disk.path().join("balances.sqlite"), TestStore::new());
    let filler = disk.path().join("filler");
    fill(&filler);
    let said = folded.open_until_stuck();
    assert!(said.contains("balances.sqlite: database or disk is full"), "{said}");
    fs::remove_file(filler).unwrap();
    folded.check();
}

/// Writes to a file until its disk is full.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}

/// Flips a bit of the only place in the segments of a closed store that holds this text.
fn damage(store: &Path, text: &str) {
    for entry in fs::read_dir(store).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        if let Some(offset) = bytes.windows(text.len()).position(|window| window == text.as_bytes()) {
            bytes[offset] ^= 1;
            return fs::write(path, bytes).unwrap();
        }
    }
    panic!("no segment holds {text}");
}

#[test]
fn damage_in_the_log_is_parked_with_its_place_and_the_rest_is_folded() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("store");
    let options = || Options { first_segment_bytes: 64 << 10, segment_bytes_max: 64 << 10, ..Options::default() };
    let open = || Arc::new(Store::open(&place, options()).unwrap());
    let commands_on = |store: &Arc<Store>| CommandHandler::<_, Bank>::new(Arc::clone(store)).attempts_max(1);
    let run = |store: &Arc<Store>, name: &str| {
        let model = SqliteReadModel::open(directory.path().join(name)).unwrap();
        Runner::new(Arc::clone(store)).project(InSqlite::default(), model).start().unwrap()
    };
    let balances =
        |name: &str| balances_in(SqliteReadModel::open(directory.path().join(name)).unwrap().reader().unwrap());

    let store = open();
    let commands = commands_on(&store);
    for account in [1, 2] {
        commands.handle(&Command::Open { account }).unwrap();
    }
    let lost = commands.handle(&Command::Deposit { account: 1, cents: 7_654_321 }).unwrap().receipt.unwrap().positions;
    for _ in 0..1_000 {
        commands.handle(&Command::Deposit { account: 2, cents: 1 }).unwrap();
    }
    let head = EventReader::head(&*store).unwrap();
    let earlier = run(&store, "earlier.sqlite");
    earlier.wait("balances", head, PATIENCE).unwrap();
    earlier.stop().unwrap();
    drop(commands);
    Arc::into_inner(store).unwrap().close().unwrap();
    damage(&place, r#""cents":7654321"#);

    let store = open();
    let (earlier, later) = (run(&store, "earlier.sqlite"), run(&store, "later.sqlite"));
    later.wait("balances", head, PATIENCE).unwrap();
    let mut model = SqliteReadModel::open(directory.path().join("later.sqlite")).unwrap();
    let parked = model.parked(&later.statuses()[0].projection).unwrap();
    assert_eq!(parked.iter().map(|parked| parked.position).collect::<Vec<_>>(), [lost.start]);
    let reason = &parked[0].reason;
    assert!(reason.contains(".log at byte ") && reason.ends_with("positions 2 up to 3 cannot be read"), "{reason}");
    assert_eq!(later.replay_parked("balances").unwrap(), Replayed { folded_count: 0, parked_count: 1 });

    // Whoever needs the lost event is told; everybody else goes on.
    let commands = commands_on(&store);
    let failed = commands.handle(&Command::Deposit { account: 1, cents: 1 }).unwrap_err();
    assert!(matches!(failed, HandleError::Read(gesta::ReadError::Damaged(_))), "{failed}");
    let end = commands.handle(&Command::Deposit { account: 2, cents: 1 }).unwrap().position().unwrap();
    for running in [earlier, later] {
        running.wait("balances", end, PATIENCE).unwrap();
        running.stop().unwrap();
    }
    let folded = |of_lost: i64| BTreeMap::from([(1, of_lost), (2, 1_001)]);
    assert_eq!(balances("earlier.sqlite"), (folded(7_654_321), end.0), "what was folded before stays");
    assert_eq!(balances("later.sqlite"), (folded(0), end.0 - 1));
}
