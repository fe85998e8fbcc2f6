//! Read models in memory that begin with a snapshot, and the same rows without.

use super::bank::AccountEvent;
use super::support::{PATIENCE, TestStore};
use gesta::{AppendRequest, Options, Position, Store};
use gesta_cqrs::{MemoryReadModel, ProjectError, Projection, Recorded, Replayed, Runner, encode};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

type Balances = BTreeMap<u32, i64>;

/// Folds balances; counts what it folds, and refuses deposits of some cents.
#[derive(Clone, Default)]
struct Counting {
    folded: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Projection for Counting {
    type Event = AccountEvent;
    type Model = MemoryReadModel<Balances>;

    fn name(&self) -> &str {
        "balances"
    }

    fn set_up(&self, _: &mut Balances) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, rows: &mut Balances, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        if event.event.cents().cast_unsigned() == self.refused.load(Ordering::Relaxed) {
            return Err("it is refused".into());
        }
        *rows.entry(event.event.account()).or_default() += event.event.cents();
        self.folded.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Deposits as many cents as the number of each event says, one to another account each.
fn deposit(test: &TestStore, cents: std::ops::RangeInclusive<u32>) -> Position {
    let event = |cents| encode(&AccountEvent::Deposited { account: cents % 5, cents: u64::from(cents) }).unwrap();
    let request = cents.map(event).fold(AppendRequest::new(), AppendRequest::event);
    test.store.append(request).unwrap().positions.end
}

/// Folds up to a position in a life of its own; returns the rows, how many events were folded, and what was parked.
fn live(test: &TestStore, schema: u32, projection: &Counting, until: Position) -> (Balances, u64, u64) {
    let model = MemoryReadModel::with_snapshots(Arc::clone(&test.store), schema, 100);
    projection.folded.store(0, Ordering::Relaxed);
    let running = Runner::new(Arc::clone(&test.store)).project(projection.clone(), model.clone()).start().unwrap();
    running.wait("balances", until, PATIENCE).unwrap();
    let parked_count = running.statuses().remove(0).parked_count;
    running.stop().unwrap();
    assert_eq!(model.snapshot_failure(), None);
    let rows = model.read(|rows: &Balances, position| {
        assert_eq!(position, until);
        rows.clone()
    });
    (rows, projection.folded.load(Ordering::Relaxed), parked_count)
}

fn total(rows: &Balances) -> i64 {
    rows.values().sum()
}

#[test]
fn a_start_begins_with_the_last_snapshot_and_comes_to_the_same_rows() {
    let (test, projection) = (TestStore::new(), Counting::default());
    let end = deposit(&test, 1..=250);
    let (rows, folded, _) = live(&test, 1, &projection, end);
    assert_eq!((total(&rows), folded), (250 * 251 / 2, 250));
    let kept = test.store.reader().snapshots("projection/");
    assert_eq!(kept.iter().map(|kept| kept.key.as_str()).collect::<Vec<_>>(), ["projection/balances-v1"]);
    let end = deposit(&test, 251..=260);
    let (rows, folded, _) = live(&test, 1, &projection, end);
    assert_eq!((total(&rows), folded), (260 * 261 / 2, 10), "a stop has saved the rest");
    assert_eq!(live(&test, 1, &projection, end).1, 0, "nothing is new");

    assert_eq!(live(&test, 2, &projection, end), (rows.clone(), 260, 0), "another shape of the rows");
    test.store.drop_snapshots("").unwrap();
    assert_eq!(live(&test, 2, &projection, end), (rows, 260, 0), "no snapshot any more");
}

#[test]
fn what_is_parked_stays_parked_in_the_next_life() {
    let (test, projection) = (TestStore::new(), Counting::default());
    projection.refused.store(7, Ordering::Relaxed);
    let end = deposit(&test, 1..=20);
    assert_eq!(live(&test, 1, &projection, end).2, 1);
    projection.refused.store(0, Ordering::Relaxed);
    let (rows, folded, parked_count) = live(&test, 1, &projection, end);
    assert_eq!((total(&rows), folded, parked_count), (20 * 21 / 2 - 7, 0, 1));
    let model = MemoryReadModel::with_snapshots(Arc::clone(&test.store), 1, 100);
    let running = Runner::new(Arc::clone(&test.store)).project(projection.clone(), model.clone()).start().unwrap();
    running.wait("balances", end, PATIENCE).unwrap();
    assert_eq!(running.replay_parked("balances").unwrap(), Replayed { folded_count: 1, parked_count: 0 });
    running.stop().unwrap();
    assert_eq!(model.read(|rows: &Balances, _| total(rows)), 20 * 21 / 2);
    let (rows, folded, parked_count) = live(&test, 1, &projection, end);
    assert_eq!((total(&rows), folded, parked_count), (20 * 21 / 2, 0, 0));
}

#[test]
fn a_snapshot_that_cannot_be_saved_is_told_and_costs_nothing_else() {
    let (mut test, projection) = (TestStore::new(), Counting::default());
    let options = Options { snapshot_bytes_max: 0, ..Options::default() };
    test.store = Arc::new(Store::open(test.directory.path().join("other"), options).unwrap());
    let model = MemoryReadModel::with_snapshots(Arc::clone(&test.store), 1, 10);
    let running = Runner::new(Arc::clone(&test.store)).project(projection, model.clone()).start().unwrap();
    let end = deposit(&test, 1..=30);
    running.wait("balances", end, PATIENCE).unwrap();
    running.stop().unwrap();
    assert!(model.snapshot_failure().is_some(), "the store keeps none");
    assert_eq!(model.read(|rows: &Balances, _| total(rows)), 30 * 31 / 2);
}
