//! Commands whose rows are waited for, beside the same commands without the wait: a runner folds on both sides.

use super::account::{Bank, Deposit};
use super::sqlite::Sqlite;
use super::target::{NAME, Target};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::{Latency, Sample};
use crate::workload::{Settings, Workload};
use gesta::Position;
use gesta_cqrs::{CommandHandler, Runner, Running};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a row is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many accounts take turns, so that their streams stay short.
const ACCOUNT_COUNT: u32 = 10_000;

/// Commands of one thread, to one account after another.
pub(super) struct Waited {
    settings: Settings,
}

impl Waited {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone() }
    }

    /// Commands for a round, with a runner beside them; `wait` is told below which position a command's events are.
    fn command(&self, wait: impl Fn(&Running, Position) -> Outcome<()>) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let store = Arc::new(store);
        let directory = Place::new(&self.settings.directory)?;
        let rows = Sqlite::new(directory.path())?;
        let (projection, model) = rows.projection()?;
        let running = Runner::new(Arc::clone(&store)).project(projection, model).start()?;
        let handler = CommandHandler::<_, Bank>::new(Arc::clone(&store));
        let mut latency = Latency::default();
        let mut last = Position::START;
        let start = Instant::now();
        let mut now = start;
        for account in (0..ACCOUNT_COUNT).cycle() {
            if now - start >= self.settings.round {
                break;
            }
            let handled = handler.handle(&Deposit { account, cents: 1 }).map_err(|error| format!("{error:?}"))?;
            last = handled.position().ok_or("a deposit has led to no event")?;
            wait(&running, last)?;
            let end = Instant::now();
            latency.add(end - now);
            now = end;
        }
        running.wait(NAME, last, PATIENCE)?;
        running.stop()?;
        assert_eq!(rows.count()? as u64, latency.count(), "every command has its row");
        drop((handler, store));
        directory.remove()?;
        place.remove()?;
        Ok(Sample { event_count: latency.count(), elapsed: now - start, latency })
    }
}

impl Workload for Waited {
    fn yardstick(&mut self) -> Outcome<Sample> {
        self.command(|_, _| Ok(()))
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        self.command(|running, position| Ok(running.wait(NAME, position, PATIENCE)?))
    }
}
