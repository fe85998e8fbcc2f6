//! A new version of a projection takes over from the one that serves, each behind the same view.

use super::bank::AccountEvent;
use super::cluster;
use super::models::wait_until;
use super::support::{PATIENCE, TestStore};
use gesta::{AppendRequest, PartitionKey, Position, Store, Uuid};
use gesta_cqrs::{
    Checkpoint, CommitError, Part, ProjectError, Projection, ProjectionId, ProjectionState, ReadModel, Rebuild,
    Rebuilt, Recorded, Role, Runner, Running, Scope, Step, encode,
};
use gesta_postgres::PostgresReadModel;
use postgres::{Client, IsolationLevel, Transaction};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::thread;

/// What was sent to the world, and by which version.
type Sent = Arc<Mutex<Vec<(u32, Position)>>>;

/// Counts the events of accounts in a table of its own for each version; each event is news to somebody once.
struct Counts {
    version: u32,
    sent: Sent,
}

impl Projection for Counts {
    type Event = AccountEvent;
    type Model = PostgresReadModel;

    fn name(&self) -> &str {
        "counts"
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn set_up(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        let table =
            format!("CREATE TABLE counts_v{} (account bigint PRIMARY KEY, events bigint NOT NULL)", self.version);
        Ok(rows.batch_execute(&table)?)
    }

    fn take_over(&self, rows: &mut Transaction<'_>) -> Result<(), ProjectError> {
        let version = self.version;
        let view = format!(
            "CREATE OR REPLACE VIEW counts AS SELECT account, events, {version}::bigint AS version FROM counts_v{version}"
        );
        Ok(rows.batch_execute(&view)?)
    }

    fn project(&self, rows: &mut Transaction<'_>, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        let text = format!(
            "INSERT INTO counts_v{0} VALUES ($1, 1) ON CONFLICT (account) DO UPDATE SET events = counts_v{0}.events + 1",
            self.version
        );
        rows.execute(&text, &[&i64::from(event.event.account())])?;
        if event.is_news() {
            self.sent.lock().unwrap().push((self.version, event.position()));
        }
        Ok(())
    }
}

fn deposit(store: &Store, count: u32) -> Position {
    let event = |account| encode(&AccountEvent::Deposited { account: account % 7, cents: 1 }).unwrap();
    let request = (0..count).map(event).fold(AppendRequest::new(), AppendRequest::event);
    store.append(request).unwrap().positions.end
}

fn is_serving(running: &Running, version: u32) -> bool {
    running.statuses().iter().any(|status| status.projection.version == version && status.is_serving)
}

/// How many events the version that serves has counted, where its checkpoint stands, and which version that is.
fn seen(client: &mut Client) -> (u64, u64, i64) {
    let isolation = IsolationLevel::RepeatableRead;
    let mut moment = client.build_transaction().isolation_level(isolation).read_only(true).start().unwrap();
    let rows = moment.query_one("SELECT coalesce(sum(events), 0)::bigint, max(version) FROM counts", &[]).unwrap();
    let version: i64 = rows.get(1);
    let text = "SELECT position FROM gesta_serving JOIN gesta_checkpoints USING (projection, version)
                WHERE projection = 'counts' AND version = $1";
    let stands: i64 = moment.query_one(text, &[&version]).unwrap().get(0);
    (rows.get::<_, i64>(0).cast_unsigned(), stands.cast_unsigned(), version)
}

#[test]
fn each_event_is_news_once_while_one_version_takes_over_from_another() {
    let Some(database) = cluster::database("versions") else { return };
    let (test, sent) = (TestStore::new(), Sent::default());
    let run = |versions: &[u32]| {
        let version = |version| Counts { version, sent: Arc::clone(&sent) };
        let model = || PostgresReadModel::connect(&database).unwrap();
        let project = |runner: Runner<_>, ordinal| runner.project(version(ordinal), model());
        versions.iter().copied().fold(Runner::new(Arc::clone(&test.store)), project).start().unwrap()
    };
    deposit(&test.store, 200);
    let first = run(&[1]);
    first.wait("counts", Position(200), PATIENCE).unwrap();
    let store = Arc::clone(&test.store);
    let writer = thread::spawn(move || (0..200).fold(Position::START, |_, _| deposit(&store, 5)));
    let mut queries = Client::connect(&database, postgres::NoTls).unwrap();
    let mut later = Vec::new();
    for (versions, newest) in [(&[2][..], 2), (&[3, 4], 4), (&[6, 5], 6)] {
        later.push(run(versions));
        wait_until(|| is_serving(later.last().unwrap(), newest));
        let (count, stands, version) = seen(&mut queries);
        assert_eq!((count, version), (stands, i64::from(newest)), "the rows are those of the checkpoint");
    }
    let head = writer.join().unwrap();
    let last = later.last().unwrap();
    last.wait("counts", head, PATIENCE).unwrap();
    let superseded = |running: &Running| {
        let statuses = running.statuses();
        statuses.iter().all(|status| matches!(status.state, ProjectionState::Superseded { .. }))
    };
    wait_until(|| superseded(&first) && later[..2].iter().all(superseded));
    let sent = sent.lock().unwrap();
    let positions: Vec<_> = sent.iter().map(|(_, position)| position.0).collect();
    assert_eq!(positions, (0..head.0).collect::<Vec<_>>(), "each once and in order");
    assert!(sent.is_sorted_by_key(|(version, _)| *version), "by one version after the other");
    assert_eq!(seen(&mut queries), (head.0, head.0, 6));
}

#[test]
fn a_rebuild_in_parts_takes_over_as_well() {
    let Some(database) = cluster::database("rebuilt") else { return };
    let test = TestStore::new();
    let model = || PostgresReadModel::connect(&database);
    let version = |version| Counts { version, sent: Sent::default() };
    deposit(&test.store, 9_000);
    let first = Runner::new(Arc::clone(&test.store)).project(version(1), model().unwrap()).start().unwrap();
    first.wait("counts", Position(9_000), PATIENCE).unwrap();
    let second = version(2);
    let sent = Arc::clone(&second.sent);
    let rebuild = Rebuild::new(&*test.store, PartitionKey::Stream).parts(NonZeroU32::new(2).unwrap());
    let rebuilt = rebuild.run(|| Ok((Counts { version: 2, sent: Arc::clone(&sent) }, model()?))).unwrap();
    assert_eq!(rebuilt, Rebuilt { position: Position(9_000), parked_count: 0, is_serving: true });
    let mut queries = Client::connect(&database, postgres::NoTls).unwrap();
    assert_eq!(seen(&mut queries), (9_000, 9_000, 2));
    let left = queries.query("SELECT FROM gesta_parts", &[]).unwrap();
    assert!(left.is_empty(), "parts are parts no longer");
    deposit(&test.store, 10);
    let running = Runner::new(Arc::clone(&test.store)).project(second, model().unwrap()).start().unwrap();
    running.wait("counts", Position(9_010), PATIENCE).unwrap();
    wait_until(|| matches!(first.statuses()[0].state, ProjectionState::Superseded { by: 2 }));
    assert_eq!(seen(&mut queries), (9_010, 9_010, 2));
    assert_eq!(sent.lock().unwrap().len(), 10, "what the first version has not seen, or nobody");
}

#[test]
fn a_part_goes_on_only_from_where_it_stands() {
    let Some(database) = cluster::database("parts") else { return };
    let mut model = PostgresReadModel::connect(&database).unwrap();
    let id = ProjectionId { name: "counts".to_owned(), version: 1 };
    let at = |position| Checkpoint { store_id: Uuid::from_u128(7), position: Position(position) };
    let (part, other) = (Part { ordinal: 1, count: 2, key: 7 }, Part { ordinal: 0, count: 2, key: 7 });
    let step = |part, from: Option<u64>, to| {
        let scope = Scope::Part(part);
        Step { projection: &id, scope, from: from.map(at), to: at(to), parked: &[], unparked: &[] }
    };
    let early = model.commit(&step(part, None, 0), &mut |_, _| panic!("nothing is to be done"));
    assert!(matches!(early, Err(CommitError::Moved)), "before the whole has begun");
    let whole = |from: Option<u64>, to| {
        let scope = Scope::Whole;
        Step { projection: &id, scope, from: from.map(at), to: at(to), parked: &[], unparked: &[] }
    };
    model.commit(&whole(None, 0), &mut |_, _| Ok(())).unwrap();
    assert_eq!(model.commit(&step(part, None, 0), &mut |_, _| Ok(())).unwrap(), Role::Builds);
    let again = model.commit(&step(part, None, 0), &mut |_, _| panic!("nothing is to be done"));
    assert!(matches!(again, Err(CommitError::Moved)));
    model.commit(&step(part, Some(0), 9), &mut |_, _| Ok(())).unwrap();
    for (wrong, from) in [(part, 0), (other, 9)] {
        let moved = model.commit(&step(wrong, Some(from), 10), &mut |_, _| panic!("nothing is to be done"));
        assert!(matches!(moved, Err(CommitError::Moved)));
    }
    let failed = model.commit(&step(part, Some(9), 10), &mut |rows, _| {
        let _ = rows.batch_execute("SELECT * FROM nowhere");
        Ok(())
    });
    assert!(matches!(failed, Err(CommitError::Work(_))), "what the database has undone is not taken for done");
    assert_eq!(model.parts(&id).unwrap(), [(part, at(9))]);
    assert_eq!(model.checkpoint(&id).unwrap(), Some(at(0)), "the whole stands where it stood");
    model.commit(&whole(Some(0), 9), &mut |_, _| Ok(())).unwrap();
    let late = model.commit(&step(part, Some(9), 10), &mut |_, _| panic!("nothing is to be done"));
    assert!(matches!(late, Err(CommitError::Moved)), "the whole has gone on");
}
