//! What a row hands back.

use hdrhistogram::Histogram;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// What was measured.
pub(super) struct Measured {
    pub(super) events: u64,
    pub(super) elapsed: Duration,
    pub(super) waits: Option<Histogram<u64>>,
    /// How many events the directory holds, where its size is asked for.
    pub(super) stored: Option<u64>,
}

/// Bytes of a directory, as the file system counts the blocks.
pub(super) fn allocated_bytes(directory: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { allocated_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// Waits in nanoseconds, up to a minute.
pub(super) fn waits() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these bounds and three digits fit")
}
