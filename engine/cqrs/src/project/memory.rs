//! A read model in memory.

use super::{Checkpoint, CommitError, Parked, Part, ReadModel, Role, Scope, Serving, Step, Work};
use crate::ReadView;
use gesta_model::{Position, ProjectionId};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows in memory: one value, which queries look at under a lock. Clones are the same read model.
///
/// It holds the rows of one projection in one version. Nothing of it survives the process: each start folds from the
/// beginning, and everything is news again. It cannot undo anything, so a projection into memory looks whether it can fold an
/// event before it changes a row.
#[derive(Debug, Default)]
pub struct MemoryReadModel<M> {
    held: Arc<RwLock<Held<M>>>,
    /// Whether a runner has it.
    is_claimed: Arc<AtomicBool>,
    /// Whether it is the one that a runner has.
    has_claim: bool,
}

#[derive(Debug, Default)]
struct Held<M> {
    rows: M,
    checkpoint: Option<Checkpoint>,
    /// How far the parts of a rebuild have come.
    parts: HashMap<Part, Checkpoint>,
    parked: Vec<Parked>,
}

impl<M> Clone for MemoryReadModel<M> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held), is_claimed: Arc::clone(&self.is_claimed), has_claim: false }
    }
}

impl<M> Drop for MemoryReadModel<M> {
    fn drop(&mut self) {
        if self.has_claim {
            // Release: pairs with the Acquire of whoever claims it next.
            self.is_claimed.store(false, Ordering::Release);
        }
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
        let held = self.held.read();
        look(&held.rows, held.checkpoint.map_or(Position::START, |checkpoint| checkpoint.position))
    }
}

impl<M: Default + Send + Sync + 'static> ReadModel for MemoryReadModel<M> {
    type Rows<'t> = M;
    type Error = Infallible;

    fn claim(&mut self, _: &ProjectionId) -> Result<bool, Infallible> {
        // Acquire: pairs with the Release of the one that had it before.
        self.has_claim |= !self.is_claimed.swap(true, Ordering::AcqRel);
        Ok(self.has_claim)
    }

    fn checkpoint(&mut self, _: &ProjectionId) -> Result<Option<Checkpoint>, Infallible> {
        Ok(self.held.read().checkpoint)
    }

    fn parts(&mut self, _: &ProjectionId) -> Result<Vec<(Part, Checkpoint)>, Infallible> {
        Ok(self.held.read().parts.iter().map(|(part, checkpoint)| (*part, *checkpoint)).collect())
    }

    fn events_at_once(&self) -> usize {
        1
    }

    fn commit(&mut self, step: &Step<'_>, work: &mut Work<'_, Self>) -> Result<Role, CommitError<Infallible>> {
        let mut held = self.held.write();
        let stands = if let Scope::Part(part) = step.scope { held.parts.get(&part).copied() } else { held.checkpoint };
        if stands != step.from {
            return Err(CommitError::Moved);
        }
        let serving = held.checkpoint.map(|checkpoint| Serving { version: step.projection.version, checkpoint });
        let role = step.role(serving).map_err(|by| CommitError::Superseded { by })?;
        work(&mut held.rows, role).map_err(CommitError::Work)?;
        match step.scope {
            Scope::Part(part) => drop(held.parts.insert(part, step.to)),
            Scope::Whole => held.checkpoint = Some(step.to),
            Scope::Join => {
                held.checkpoint = Some(step.to);
                held.parts.clear();
            }
        }
        let is_told_of = |position| step.parked.iter().any(|parked| parked.position == position);
        held.parked.retain(|parked| !step.unparked.contains(&parked.position) && !is_told_of(parked.position));
        held.parked.extend_from_slice(step.parked);
        Ok(role)
    }

    fn parked(&mut self, _: &ProjectionId) -> Result<Vec<Parked>, Infallible> {
        Ok(self.held.read().parked.clone())
    }
}

impl<M: Default> ReadView for MemoryReadModel<M> {
    type Rows = M;
    type Error = Infallible;

    fn look<T>(&self, _: &str, look: impl FnOnce(&M) -> T) -> Result<(T, Position), Infallible> {
        Ok(self.read(|rows, position| (look(rows), position)))
    }
}
