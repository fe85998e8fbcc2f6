//! Rows in memory that are saved as snapshots of the store now and then, so that a start begins there.

use super::{Checkpoint, Parked};
use crate::SnapshotFailure;
use crate::panics::guarded;
use gesta_model::{EventReader, EventStore, Position, ProjectionId, Selection, Snapshot, SnapshotKey, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use std::ops::Deref;

/// Where the rows of a read model in memory are saved. Behind it are the store and how the rows are written.
pub(super) trait Snapshots<M>: Send + Sync {
    /// What was saved last; `None` when there is nothing that can be used.
    fn load(&self, projection: &ProjectionId) -> Option<Saved<M>>;

    /// Saves rows as of a checkpoint.
    fn save(&self, projection: &ProjectionId, saved: Saved<&M>) -> Result<(), SnapshotFailure>;
}

/// Rows, how far they have come, and what is parked.
pub(super) struct Saved<M> {
    pub(super) rows: M,
    pub(super) checkpoint: Checkpoint,
    pub(super) parked: Vec<Parked>,
}

/// Snapshots of one schema in a store.
pub(super) struct InStore<P, M> {
    store: P,
    schema: u32,
    rows: PhantomData<fn() -> M>,
}

/// What a snapshot holds beside its position; the store knows itself whose it is.
#[derive(Serialize, Deserialize)]
struct Data<M> {
    parked: Vec<ParkedData>,
    rows: M,
}

/// A parked event, as it is written.
#[derive(Serialize, Deserialize)]
struct ParkedData {
    position: u64,
    event_type: String,
    reason: String,
    attempts: u32,
    recorded_at: i64,
    is_news: bool,
}

impl<P, M> InStore<P, M> {
    pub(super) fn new(store: P, schema: u32) -> Self {
        Self { store, schema, rows: PhantomData }
    }
}

impl<P, M> Snapshots<M> for InStore<P, M>
where
    P: Deref<Target: EventStore> + Send + Sync,
    M: Serialize + DeserializeOwned,
{
    fn load(&self, projection: &ProjectionId) -> Option<Saved<M>> {
        // A snapshot is never needed: whatever is wrong with it or its store, the rows are folded from the events.
        let key = key_of(projection).ok()?;
        let snapshot = self.store.load(&key, self.schema, Selection::Everything).ok()?.snapshot?;
        let Data { parked, rows } = guarded(|| serde_json::from_slice(&snapshot.data)).ok()?.ok()?;
        let checkpoint = Checkpoint { store_id: self.store.store_id().ok()?, position: snapshot.position };
        Some(Saved { rows, checkpoint, parked: parked.into_iter().map(Parked::from).collect() })
    }

    fn save(&self, projection: &ProjectionId, saved: Saved<&M>) -> Result<(), SnapshotFailure> {
        let Saved { rows, checkpoint, parked } = saved;
        let data = Data { parked: parked.into_iter().map(ParkedData::from).collect(), rows };
        let data = guarded(|| serde_json::to_vec(&data))
            .map_err(SnapshotFailure::Panicked)?
            .map_err(SnapshotFailure::State)?;
        let (key, schema, position) = (key_of(projection)?, self.schema, checkpoint.position);
        Ok(self.store.save_snapshot(Snapshot { key, schema, position, data })?)
    }
}

fn key_of(projection: &ProjectionId) -> Result<SnapshotKey, SnapshotFailure> {
    SnapshotKey::new(format!("projection/{projection}")).map_err(|_| SnapshotFailure::Key)
}

impl From<ParkedData> for Parked {
    fn from(data: ParkedData) -> Self {
        let ParkedData { position, event_type, reason, attempts, recorded_at, is_news } = data;
        let (position, recorded_at) = (Position(position), Timestamp(recorded_at));
        Self { position, event_type, reason, attempts, recorded_at, is_news }
    }
}

impl From<Parked> for ParkedData {
    fn from(parked: Parked) -> Self {
        let Parked { position, event_type, reason, attempts, recorded_at, is_news } = parked;
        Self { position: position.0, event_type, reason, attempts, recorded_at: recorded_at.0, is_news }
    }
}
