//! Rows in memory: a map.

use super::account::AccountEvent;
use super::target::{NAME, Target};
use crate::outcome::Outcome;
use gesta_cqrs::{MemoryReadModel, ProjectError, Projection, Recorded};
use std::collections::HashMap;
use std::path::Path;

/// Deposits by position.
pub(super) type Deposits = HashMap<u64, (u32, u32)>;

/// Folds into memory.
pub(super) struct InMemory;

impl Projection for InMemory {
    type Event = AccountEvent;
    type Model = MemoryReadModel<Deposits>;

    fn name(&self) -> &str {
        NAME
    }

    fn set_up(&self, _: &mut Deposits) -> Result<(), ProjectError> {
        Ok(())
    }

    fn project(&self, rows: &mut Deposits, event: &Recorded<'_, AccountEvent>) -> Result<(), ProjectError> {
        remember(rows, event.position().0, &event.event);
        Ok(())
    }
}

/// Rows in memory, of either side.
#[derive(Default)]
pub(super) struct Memory {
    inserted: Deposits,
    projected: MemoryReadModel<Deposits>,
}

impl Target for Memory {
    type Projection = InMemory;

    fn new(_: &Path) -> Outcome<Self> {
        Ok(Self::default())
    }

    fn projection(&self) -> Outcome<(InMemory, MemoryReadModel<Deposits>)> {
        Ok((InMemory, self.projected.clone()))
    }

    fn set_up(&mut self) -> Outcome<()> {
        Ok(())
    }

    fn insert_all(&mut self, mut events: impl Iterator<Item = Outcome<(u64, AccountEvent)>>) -> Outcome<()> {
        events.try_for_each(|event| {
            let (position, event) = event?;
            remember(&mut self.inserted, position, &event);
            Ok(())
        })
    }

    fn count(&self) -> Outcome<usize> {
        Ok(self.inserted.len() + self.projected.read(|rows, _| rows.len()))
    }
}

/// Puts a deposit into a map.
fn remember(rows: &mut Deposits, position: u64, AccountEvent::Deposited { account, cents }: &AccountEvent) {
    rows.insert(position, (*account, *cents));
}
