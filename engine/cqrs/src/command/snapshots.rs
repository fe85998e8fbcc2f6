//! When a state is saved, and as what.

use super::SnapshotFailure;
use super::folded::Folded;
use crate::{Boundary, Decider};
use gesta_model::{Revision, Snapshot, SnapshotKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// When a state is saved: after a command that found one of these much beyond the last snapshot.
///
/// A snapshot is never needed: without it a command folds more events. One that was saved under another schema number is
/// not looked at.
#[derive(Clone, Debug)]
pub struct SnapshotPolicy {
    pub(super) name: String,
    pub(super) schema: u32,
    every_event_count: Option<u64>,
    every_event_bytes: Option<u64>,
    after: Option<Duration>,
}

impl SnapshotPolicy {
    /// Saves the states of a decider under its name, in the shape of a schema number: raise it when the state or what
    /// `evolve` does has changed. Nothing is saved until it is said when.
    #[must_use]
    pub fn new(name: impl Into<String>, schema: u32) -> Self {
        Self { name: name.into(), schema, every_event_count: None, every_event_bytes: None, after: None }
    }

    /// Once so many events lie beyond the last one.
    #[must_use]
    pub fn every_events(mut self, count: u64) -> Self {
        self.every_event_count = Some(count);
        self
    }

    /// Once so many bytes of events lie beyond the last one.
    #[must_use]
    pub fn every_bytes(mut self, bytes: u64) -> Self {
        self.every_event_bytes = Some(bytes);
        self
    }

    /// When loading has taken so long.
    #[must_use]
    pub fn when_loading_takes(mut self, time: Duration) -> Self {
        self.after = Some(time);
        self
    }

    /// Whether one is due.
    pub(super) fn is_due<D: Decider>(&self, folded: &Folded<D>, loading: Duration) -> bool {
        let reaches = |limit: Option<u64>, value: u64| limit.is_some_and(|limit| value >= limit.max(1));
        folded.event_count > 0
            && (reaches(self.every_event_count, folded.event_count)
                || reaches(self.every_event_bytes, folded.event_bytes)
                || self.after.is_some_and(|after| loading >= after))
    }

    /// Under what the state of a boundary is saved.
    pub(super) fn key(&self, boundary: &Boundary) -> Option<SnapshotKey> {
        SnapshotKey::new(format!("{}/{boundary}", self.name)).ok()
    }
}

/// How a state is written and read. That it can be is known where a policy is given, and nowhere else.
pub(super) struct StateCodec<S> {
    write: fn(&Revisions, &S) -> serde_json::Result<Vec<u8>>,
    read: fn(&[u8]) -> serde_json::Result<Saved<S>>,
}

/// The last revision of each stream of a boundary.
type Revisions = BTreeMap<String, Revision>;

/// What a snapshot holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved<S> {
    /// The last revision of each stream of the boundary.
    revisions: BTreeMap<String, u64>,
    state: S,
}

impl<S: Serialize + DeserializeOwned> StateCodec<S> {
    pub(super) fn new() -> Self {
        Self { write: write::<S>, read: |bytes| serde_json::from_slice(bytes) }
    }
}

fn write<S: Serialize>(revisions: &Revisions, state: &S) -> serde_json::Result<Vec<u8>> {
    let revisions = revisions.iter().map(|(stream, revision)| (stream.clone(), revision.0)).collect();
    serde_json::to_vec(&Saved { revisions, state })
}

impl<S> StateCodec<S> {
    /// What was folded up to a snapshot; `None` when its bytes are not such a state.
    pub(super) fn read<D: Decider<State = S>>(&self, snapshot: &Snapshot) -> Option<Folded<D>> {
        let Saved { revisions, state } = (self.read)(&snapshot.data).ok()?;
        let revisions = revisions.into_iter().map(|(stream, revision)| (stream, Revision(revision))).collect();
        Some(Folded::from(state, snapshot.position, revisions))
    }

    /// The snapshot of what was folded.
    pub(super) fn write<D: Decider<State = S>>(
        &self,
        policy: &SnapshotPolicy,
        key: SnapshotKey,
        folded: &Folded<D>,
    ) -> Result<Snapshot, SnapshotFailure> {
        let data = (self.write)(&folded.revisions, &folded.state).map_err(SnapshotFailure::State)?;
        Ok(Snapshot { key, schema: policy.schema, position: folded.position, data })
    }
}
