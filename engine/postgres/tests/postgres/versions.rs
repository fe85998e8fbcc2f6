//! A new version of a projection takes over from the one that serves, each behind the same view.

use super::bank::AccountEvent;
use super::cluster;
use super::models::wait_until;
use super::support::{PATIENCE, TestStore};
use gesta::{AppendRequest, Position, Store};
use gesta_cqrs::{ProjectError, Projection, ProjectionState, Recorded, Runner, Running, encode};
use gesta_postgres::PostgresReadModel;
use postgres::{Client, IsolationLevel, Transaction};
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
