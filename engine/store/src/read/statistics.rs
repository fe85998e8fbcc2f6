//! Figures of a store.

/// What can be told of a store without reading its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Readable events.
    pub events: u64,
    /// Streams with at least one event.
    pub streams: u64,
    /// Bytes written to segment files.
    pub log_bytes: u64,
    /// Bytes of index files.
    pub index_bytes: u64,
    /// Bytes of files of snapshots.
    pub snapshot_bytes: u64,
    /// Zero-filled bytes ahead of what is written.
    pub reserved_bytes: u64,
}
