//! A read model in memory.

use super::{Checkpoint, CommitError, Parked, ProjectError, ProjectionId, ReadModel, Step};
use crate::ReadView;
use gesta_model::Position;
use parking_lot::{Mutex, RwLock};
use std::convert::Infallible;
use std::sync::Arc;

/// Rows in memory: one value, which queries look at under a lock. Clones are the same read model.
///
/// It holds the rows of one projection. Nothing of it survives the process: each start folds from the beginning. It cannot
/// undo anything, so a projection into memory looks whether it can fold an event before it changes a row.
#[derive(Debug, Default)]
pub struct MemoryReadModel<M> {
    shared: Arc<Shared<M>>,
}

#[derive(Debug, Default)]
struct Shared<M> {
    held: RwLock<Held<M>>,
    claimed: Mutex<Option<ProjectionId>>,
}

#[derive(Debug, Default)]
struct Held<M> {
    rows: M,
    checkpoint: Option<Checkpoint>,
    parked: Vec<Parked>,
}

impl<M> Clone for MemoryReadModel<M> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<M: Default> MemoryReadModel<M> {
    /// Without rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the rows, and at the position that they are true for.
    pub fn read<T>(&self, look: impl FnOnce(&M, Position) -> T) -> T {
        let held = self.shared.held.read();
        look(&held.rows, held.checkpoint.map_or(Position::START, |checkpoint| checkpoint.position))
    }
}

impl<M: Default + Send + Sync + 'static> ReadModel for MemoryReadModel<M> {
    type Rows<'t> = M;
    type Error = Infallible;

    fn claim(&mut self, projection: &ProjectionId) -> Result<bool, Infallible> {
        let mut claimed = self.shared.claimed.lock();
        Ok(claimed.replace(projection.clone()).is_none())
    }

    fn checkpoint(&mut self, _: &ProjectionId) -> Result<Option<Checkpoint>, Infallible> {
        Ok(self.shared.held.read().checkpoint)
    }

    fn events_at_once(&self) -> usize {
        1
    }

    fn commit(
        &mut self,
        step: &Step<'_>,
        work: &mut dyn FnMut(&mut M) -> Result<(), ProjectError>,
    ) -> Result<(), CommitError<Infallible>> {
        let mut held = self.shared.held.write();
        if held.checkpoint != step.from {
            return Err(CommitError::Moved);
        }
        work(&mut held.rows).map_err(CommitError::Work)?;
        held.checkpoint = Some(step.to);
        let is_told_of = |position| step.parked.iter().any(|parked| parked.position == position);
        held.parked.retain(|parked| !step.unparked.contains(&parked.position) && !is_told_of(parked.position));
        held.parked.extend_from_slice(step.parked);
        Ok(())
    }

    fn parked(&mut self, _: &ProjectionId) -> Result<Vec<Parked>, Infallible> {
        Ok(self.shared.held.read().parked.clone())
    }
}

impl<M: Default> ReadView for MemoryReadModel<M> {
    type Rows = M;
    type Error = Infallible;

    fn look<T>(&self, _: &ProjectionId, look: impl FnOnce(&M) -> T) -> Result<(T, Position), Infallible> {
        Ok(self.read(|rows, position| (look(rows), position)))
    }
}
