//! From an append to its row in SQLite, as another connection sees it, beside the same row written by hand.

use super::account::AccountEvent;
use super::sqlite::{Sqlite, cents_at};
use super::target::{NAME, Target};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::{Latency, Sample};
use crate::workload::{Settings, Workload};
use gesta::{AppendRequest, Position, Store};
use gesta_cqrs::{Runner, encode};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a row is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// What is deposited each time.
const DEPOSIT: AccountEvent = AccountEvent::Deposited { account: 1, cents: 1 };

/// Appends one event after another, durable, and looks for its row each time.
pub(super) struct Freshness {
    settings: Settings,
}

impl Freshness {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone() }
    }

    /// Appends for a round, has `bring` bring each event's row about, and queries it by a connection of its own. What is
    /// timed runs from the return of the append to the answer of the query.
    fn appended(
        &self,
        store: &Store,
        rows: &Sqlite,
        mut bring: impl FnMut(Position) -> Outcome<()>,
    ) -> Outcome<Sample> {
        let reader = rows.reader()?;
        let mut latency = Latency::default();
        let start = Instant::now();
        while start.elapsed() < self.settings.round {
            let receipt = store.append(AppendRequest::new().event(encode(&DEPOSIT)?))?;
            let appended = Instant::now();
            let position = receipt.positions.start;
            bring(position)?;
            assert_eq!(cents_at(&reader, position.0)?, 1, "the row is there");
            latency.add_unsynced(appended.elapsed());
        }
        Ok(Sample { event_count: latency.count(), elapsed: start.elapsed(), latency })
    }
}

impl Workload for Freshness {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let directory = Place::new(&self.settings.directory)?;
        let mut rows = Sqlite::new(directory.path())?;
        rows.set_up()?;
        let sample = self.appended(&store, &rows, |position| rows.insert_one(position.0, &DEPOSIT))?;
        store.close()?;
        drop(rows);
        directory.remove()?;
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let store = Arc::new(store);
        let directory = Place::new(&self.settings.directory)?;
        let rows = Sqlite::new(directory.path())?;
        let (projection, model) = rows.projection()?;
        let running = Runner::new(Arc::clone(&store)).project(projection, model).start()?;
        let sample = self.appended(&store, &rows, |position| Ok(running.wait(NAME, position.plus(1), PATIENCE)?))?;
        running.stop()?;
        drop(store);
        directory.remove()?;
        place.remove()?;
        Ok(sample)
    }
}
