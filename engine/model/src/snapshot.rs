//! Saved fold states.

use crate::{Position, SnapshotKey};

/// A saved fold state with its position. Never needed for correctness: the events tell the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is of.
    pub key: SnapshotKey,
    /// The version of the data's shape, by whoever folds: one of another schema is not loaded.
    pub schema: u32,
    /// Everything below it is folded in, and nothing from it on.
    pub position: Position,
    /// The state.
    pub data: Vec<u8>,
}

/// What is known of a snapshot without its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// What it is of.
    pub key: SnapshotKey,
    /// The version of the data's shape.
    pub schema: u32,
    /// Everything below it is folded in.
    pub position: Position,
    /// How long the data is.
    pub data_bytes: u64,
}

/// A snapshot, if there is one, and what has happened since.
#[derive(Clone, Debug)]
pub struct Loaded<C> {
    /// The newest snapshot of the key and schema.
    pub snapshot: Option<Snapshot>,
    /// The events from the snapshot's position on; without one, from the start. Its head is the head as of the read.
    pub events: C,
}
