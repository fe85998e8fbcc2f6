//! A backlog, folded by a runner, beside the same inserts from decoded events that are in memory already.

use super::account::{AccountEvent, fill};
use super::models::{Deposits, InMemory, InSqlite, NAME, TABLE, insert, remember};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::Sample;
use crate::workload::{Settings, Workload};
use gesta::{Position, Store};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{MemoryReadModel, Runner};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Events of a transaction: what the runner keeps at most.
const EVENTS_EACH: usize = 4096;
/// How long the runner is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where the rows go.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Memory,
    Sqlite,
}

/// Folds a backlog.
pub(super) struct Backlog {
    settings: Settings,
    target: Target,
    events: Vec<AccountEvent>,
    store: Arc<Store>,
    _place: Place,
}

impl Backlog {
    pub(super) fn new(settings: &Settings, target: Target) -> Outcome<Self> {
        let account = |ordinal: u32| AccountEvent::Deposited { account: ordinal % 1_000, cents: ordinal };
        let events: Vec<_> = (0..settings.projected_event_count).map(account).collect();
        let (place, store) = settings.new_store()?;
        fill(&store, &events)?;
        Ok(Self { settings: settings.clone(), target, events, store: Arc::new(store), _place: place })
    }

    fn sample(&self, elapsed: Duration, row_count: usize) -> Sample {
        assert_eq!(row_count, self.events.len(), "every event has its row");
        Sample::without_latency(row_count as u64, elapsed)
    }

    fn head(&self) -> Position {
        Position(self.events.len() as u64)
    }
}

impl Workload for Backlog {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let events = (0..).zip(&self.events);
        let sample = match self.target {
            Target::Memory => {
                let began = Instant::now();
                let mut rows = Deposits::default();
                events.for_each(|(position, event)| remember(&mut rows, position, event));
                self.sample(began.elapsed(), rows.len())
            }
            Target::Sqlite => {
                let mut database = Connection::open(place.path().join("rows.sqlite"))?;
                database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
                database.execute_batch(TABLE)?;
                let began = Instant::now();
                let mut position = 0;
                for some in self.events.chunks(EVENTS_EACH) {
                    let transaction = database.transaction()?;
                    for event in some {
                        insert(&transaction, position, event)?;
                        position += 1;
                    }
                    transaction.commit()?;
                }
                self.sample(began.elapsed(), count(&database)?)
            }
        };
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let runner = Runner::new(Arc::clone(&self.store));
        let sample = match self.target {
            Target::Memory => {
                let model = MemoryReadModel::new();
                let began = Instant::now();
                let running = runner.project(InMemory, model.clone()).start()?;
                running.wait(NAME, self.head(), PATIENCE)?;
                let elapsed = began.elapsed();
                running.stop()?;
                self.sample(elapsed, model.read(|rows: &Deposits, _| rows.len()))
            }
            Target::Sqlite => {
                let file = place.path().join("rows.sqlite");
                let model = SqliteReadModel::open(&file)?;
                let began = Instant::now();
                let running = runner.project(InSqlite, model).start()?;
                running.wait(NAME, self.head(), PATIENCE)?;
                let elapsed = began.elapsed();
                running.stop()?;
                self.sample(elapsed, count(&Connection::open(file)?)?)
            }
        };
        place.remove()?;
        Ok(sample)
    }
}

fn count(database: &Connection) -> Outcome<usize> {
    let count: i64 = database.query_row("SELECT count(*) FROM deposits", [], |row| row.get(0))?;
    Ok(usize::try_from(count)?)
}
