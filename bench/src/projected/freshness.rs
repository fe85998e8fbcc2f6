//! From an append to its row in SQLite, as another connection sees it, beside the bare append.

use super::account::AccountEvent;
use super::models::{InSqlite, NAME};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::{Latency, Sample};
use crate::workload::{Settings, Workload};
use gesta::{AppendRequest, Store};
use gesta_cqrs::sqlite::SqliteReadModel;
use gesta_cqrs::{Runner, encode};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a row is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Appends one event after another, durable.
pub(super) struct Freshness {
    settings: Settings,
}

impl Freshness {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone() }
    }

    /// Appends for a round, and after each append does what `see` does with its position.
    fn appended(&self, store: &Store, mut see: impl FnMut(gesta::Position) -> Outcome<()>) -> Outcome<Sample> {
        let mut latency = Latency::default();
        let start = Instant::now();
        let mut now = start;
        while now - start < self.settings.round {
            let event = encode(&AccountEvent::Deposited { account: 1, cents: 1 })?;
            let receipt = store.append(AppendRequest::new().event(event))?;
            see(receipt.positions.start)?;
            let end = Instant::now();
            latency.add(end - now);
            now = end;
        }
        Ok(Sample { event_count: latency.count(), elapsed: now - start, latency })
    }
}

impl Workload for Freshness {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let sample = self.appended(&store, |_| Ok(()))?;
        store.close()?;
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let store = Arc::new(store);
        let rows = Place::new(&self.settings.directory)?;
        let model = SqliteReadModel::open(rows.path().join("rows.sqlite"))?;
        let reader = model.reader()?.into_connection();
        let running = Runner::new(Arc::clone(&store)).project(InSqlite, model).start()?;
        let sample = self.appended(&store, |position| {
            running.wait(NAME, position.plus(1), PATIENCE)?;
            let mut statement = reader.prepare_cached("SELECT cents FROM deposits WHERE position = ?1")?;
            let cents: u32 = statement.query_row([position.0.cast_signed()], |row| row.get(0))?;
            assert_eq!(cents, 1, "the row is there");
            Ok(())
        })?;
        running.stop()?;
        drop(reader);
        rows.remove()?;
        place.remove()?;
        Ok(sample)
    }
}
