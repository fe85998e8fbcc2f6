//! A rebuild in two parts, beside the same in one.

use super::account::{AccountEvent, fill};
use super::target::Target;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::Sample;
use crate::workload::{Settings, Workload};
use gesta::{PartitionKey, Store};
use gesta_cqrs::Rebuild;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::time::Instant;

/// Rebuilds rows from the beginning of a store.
pub(super) struct Rebuilt<T> {
    settings: Settings,
    event_count: u32,
    store: Store,
    _place: Place,
    target: PhantomData<fn() -> T>,
}

impl<T: Target> Rebuilt<T> {
    pub(super) fn new(settings: &Settings) -> Outcome<Self> {
        let event_count = settings.rebuilt_event_count / (T::SHORTER * T::SHORTER);
        let (place, store) = settings.new_store()?;
        fill(&store, (0..event_count).map(|cents| AccountEvent::Deposited { account: cents % 1_000, cents }))?;
        Ok(Self { settings: settings.clone(), event_count, store, _place: place, target: PhantomData })
    }

    fn rebuild(&self, part_count: NonZeroU32) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let target = T::new(place.path())?;
        let rebuild = Rebuild::new(&self.store, PartitionKey::Stream).parts(part_count);
        let began = Instant::now();
        rebuild.run(|| target.projection())?;
        let elapsed = began.elapsed();
        assert_eq!(target.count()?, self.event_count as usize, "every event has its row");
        drop(target);
        place.remove()?;
        Ok(Sample::without_latency(self.event_count.into(), elapsed))
    }
}

impl<T: Target> Workload for Rebuilt<T> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        self.rebuild(NonZeroU32::MIN)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        self.rebuild(NonZeroU32::MIN.saturating_add(1))
    }
}
