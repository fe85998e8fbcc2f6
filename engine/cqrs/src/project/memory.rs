//! A read model in memory.

use super::memory_snapshots::{InStore, Saved, Snapshots};
use super::{Checkpoint, CommitError, Parked, Part, ReadModel, Role, Scope, Serving, Step, Work};
use crate::{ReadView, SnapshotFailure};
use gesta_model::{EventStore, Position, ProjectionId};
use parking_lot::RwLock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows in memory: one value, which queries look at under a lock. Clones are the same read model.
///
/// It holds the rows of one projection in one version. Each process folds them from the beginning, or from the last snapshot
/// where it is [told](Self::with_snapshots) to save some; what it folds is news again. It cannot undo anything, so a projection
/// into memory looks whether it can fold an event before it changes a row.
#[derive(Default)]
pub struct MemoryReadModel<M> {
    held: Arc<RwLock<Held<M>>>,
    /// Whether a runner has it.
    is_claimed: Arc<AtomicBool>,
    /// The projection, when it is the one that a runner has.
    claim: Option<ProjectionId>,
    snapshots: Option<SnapshotsEvery<M>>,
}

/// Where rows are saved, and how often.
struct SnapshotsEvery<M> {
    place: Arc<dyn Snapshots<M>>,
    event_count: u64,
}

#[derive(Debug, Default)]
struct Held<M> {
    rows: M,
    checkpoint: Option<Checkpoint>,
    /// How far the parts of a rebuild have come.
    parts: HashMap<Part, Checkpoint>,
    parked: Vec<Parked>,
    /// How many steps were committed since a snapshot was saved: at most one event each.
    unsaved_count: u64,
    /// Why the last snapshot was not saved.
    failure: Option<SnapshotFailure>,
}

impl<M> Clone for MemoryReadModel<M> {
    fn clone(&self) -> Self {
        let snapshots = self.snapshots.as_ref().map(|SnapshotsEvery { place, event_count }| SnapshotsEvery {
            place: Arc::clone(place),
            event_count: *event_count,
        });
        Self { held: Arc::clone(&self.held), is_claimed: Arc::clone(&self.is_claimed), claim: None, snapshots }
    }
}

impl<M> Drop for MemoryReadModel<M> {
    fn drop(&mut self) {
        if self.claim.is_some() {
            self.save_once_unsaved(1);
            // Release: pairs with the Acquire of whoever claims it next.
            self.is_claimed.store(false, Ordering::Release);
        }
    }
}

impl<M> MemoryReadModel<M> {
    /// Saves a snapshot, if so many events were folded since the last one.
    fn save_once_unsaved(&self, event_count: u64) {
        let (Some(SnapshotsEvery { place, .. }), Some(projection)) = (&self.snapshots, &self.claim) else { return };
        let held = self.held.read();
        let is_due = held.unsaved_count >= event_count && held.parts.is_empty();
        let Some(checkpoint) = held.checkpoint.filter(|stands| is_due && stands.position > Position::START) else {
            return;
        };
        // Nobody else folds: queries go on meanwhile.
        let saved = place.save(projection, Saved { rows: &held.rows, checkpoint, parked: held.parked.clone() });
        drop(held);
        let mut held = self.held.write();
        (held.unsaved_count, held.failure) = (0, saved.err());
    }
}

impl<M: Default> MemoryReadModel<M> {
    /// Without rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Without rows until it is folded into: then it begins with the last snapshot in a store, and saves one each time that so
    /// many steps were committed, of one event each at most, and when its runner stops. Raise the schema number when the shape of the rows has changed.
    ///
    /// Snapshots are never needed: one that cannot be loaded or saved costs time. [`Self::snapshot_failure`] says why the last one
    /// was not saved.
    #[must_use]
    pub fn with_snapshots<P>(store: P, schema: u32, every_event_count: u64) -> Self
    where
        P: Deref<Target: EventStore> + Send + Sync + 'static,
        M: Serialize + DeserializeOwned + 'static,
    {
        let place: Arc<dyn Snapshots<M>> = Arc::new(InStore::new(store, schema));
        let mut model = Self::default();
        model.snapshots = Some(SnapshotsEvery { place, event_count: every_event_count.max(1) });
        model
    }

    /// Why the last snapshot was not saved; `None` when it was, or none was due.
    #[must_use]
    pub fn snapshot_failure(&self) -> Option<String> {
        self.held.read().failure.as_ref().map(ToString::to_string)
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

    fn claim(&mut self, projection: &ProjectionId) -> Result<bool, Infallible> {
        // Acquire: pairs with the Release of the one that had it before.
        if self.claim.is_none() && !self.is_claimed.swap(true, Ordering::AcqRel) {
            self.claim = Some(projection.clone());
        }
        Ok(self.claim.is_some())
    }

    fn checkpoint(&mut self, projection: &ProjectionId) -> Result<Option<Checkpoint>, Infallible> {
        let checkpoint = self.held.read().checkpoint;
        if checkpoint.is_some() {
            return Ok(checkpoint);
        }
        let Some(saved) = self.snapshots.as_ref().and_then(|snapshots| snapshots.place.load(projection)) else {
            return Ok(None);
        };
        let Saved { rows, checkpoint, parked } = saved;
        let mut held = self.held.write();
        (held.rows, held.checkpoint, held.parked) = (rows, Some(checkpoint), parked);
        Ok(Some(checkpoint))
    }

    fn parts(&mut self, _: &ProjectionId) -> Result<Vec<(Part, Checkpoint)>, Infallible> {
        Ok(self.held.read().parts.iter().map(|(part, checkpoint)| (*part, *checkpoint)).collect())
    }

    fn events_at_once(&self) -> usize {
        1
    }

    fn commit(&mut self, step: &Step<'_>, work: &mut Work<'_, Self>) -> Result<Role, CommitError<Infallible>> {
        let mut held = self.held.write();
        let (stands, is_due) = match step.scope {
            Scope::Part(part) => (held.parts.get(&part).copied(), held.checkpoint.is_some_and(Checkpoint::is_start)),
            Scope::Whole | Scope::Join => (held.checkpoint, true),
        };
        if stands != step.from || !is_due {
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
        held.unsaved_count += 1;
        drop(held);
        if let Some(SnapshotsEvery { event_count, .. }) = self.snapshots {
            self.save_once_unsaved(event_count);
        }
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

impl<M: fmt::Debug> fmt::Debug for MemoryReadModel<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = self.snapshots.as_ref().map(|snapshots| snapshots.event_count);
        formatter
            .debug_struct("MemoryReadModel")
            .field("held", &*self.held.read())
            .field("claim", &self.claim)
            .field("snapshot_every_event_count", &every)
            .finish()
    }
}
