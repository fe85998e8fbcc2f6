//! A backlog, folded by a runner, beside the same inserts without one.

use super::account::{AccountEvent, fill};
use super::target::{NAME, Target};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::Sample;
use crate::workload::{Settings, Workload};
use gesta::{EventReader, Position, Read, Store};
use gesta_cqrs::{Runner, decode};
use std::iter;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the runner is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the yard-stick inserts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Events {
    /// Events that are in memory already, decoded.
    Decoded,
    /// Events that it reads from the store and decodes, one after another.
    Read,
}

/// Folds a backlog into rows.
pub(super) struct Backlog<T> {
    settings: Settings,
    bare: Events,
    events: Vec<AccountEvent>,
    store: Arc<Store>,
    _place: Place,
    target: PhantomData<fn() -> T>,
}

impl<T: Target> Backlog<T> {
    pub(super) fn new(settings: &Settings, bare: Events) -> Outcome<Self> {
        let account = |ordinal: u32| AccountEvent::Deposited { account: ordinal % 1_000, cents: ordinal };
        let events: Vec<_> = (0..settings.projected_event_count / T::SHORTER).map(account).collect();
        let (place, store) = settings.new_store()?;
        fill(&store, events.iter().cloned())?;
        let (settings, store) = (settings.clone(), Arc::new(store));
        let mut backlog = Self { settings, bare, events, store, _place: place, target: PhantomData };
        // Once for nothing: a database that has just been started is slow to whoever comes first.
        backlog.yardstick()?;
        Ok(backlog)
    }

    /// Has `work` fill rows.
    fn fill_rows(&self, work: impl FnOnce(&mut T) -> Outcome<Duration>) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let mut target = T::new(place.path())?;
        let elapsed = work(&mut target)?;
        assert_eq!(target.count()?, self.events.len(), "every event has its row");
        drop(target);
        place.remove()?;
        Ok(Sample::without_latency(self.events.len() as u64, elapsed))
    }
}

impl<T: Target> Workload for Backlog<T> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        self.fill_rows(|target| {
            target.set_up()?;
            let began = Instant::now();
            match self.bare {
                Events::Decoded => {
                    target.insert_all((0..).zip(&self.events).map(|(at, event)| Ok((at, event.clone()))))?
                }
                Events::Read => target.insert_all(read(&self.store)?)?,
            }
            Ok(began.elapsed())
        })
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        self.fill_rows(|target| {
            let (projection, model) = target.projection()?;
            let runner = Runner::new(Arc::clone(&self.store)).project(projection, model);
            let began = Instant::now();
            let running = runner.start()?;
            running.wait(NAME, Position(self.events.len() as u64), PATIENCE)?;
            let elapsed = began.elapsed();
            running.stop()?;
            Ok(elapsed)
        })
    }
}

/// Every event of a store with its position, decoded.
fn read(store: &Store) -> Outcome<impl Iterator<Item = Outcome<(u64, AccountEvent)>>> {
    let mut cursor = EventReader::read(store, Read::all())?;
    let decoded = move || -> Outcome<Option<(u64, AccountEvent)>> {
        let Some(record) = cursor.next_record() else { return Ok(None) };
        let record = record?;
        let event = decode(&record)?.ok_or("a store of deposits has something else")?;
        Ok(Some((record.position().0, event)))
    };
    Ok(iter::from_fn({
        let mut decoded = decoded;
        move || decoded().transpose()
    }))
}
