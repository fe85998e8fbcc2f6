//! What a row came to, a line of JSON.

use serde::Serialize;

/// What one row of one peer came to.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The peer.
    pub peer: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it keeps and checks.
    pub keeps: &'static str,
    /// Appends that were answered; none where nothing was appended or calls were not counted.
    pub commits: u64,
    /// Events that were appended or read while the clock ran.
    pub events: u64,
    /// How long that took, in seconds.
    pub seconds: f64,
    /// Half of the calls took no longer, in microseconds; absent where calls were not timed.
    pub p50_us: Option<f64>,
    /// Ninety-nine of a hundred took no longer.
    pub p99_us: Option<f64>,
    /// Nine hundred and ninety-nine of a thousand took no longer.
    pub p999_us: Option<f64>,
    /// None took longer.
    pub max_us: Option<f64>,
    /// Bytes of the directory for each event in it, as the file system counts the blocks; absent where it was not asked.
    pub bytes_an_event: Option<f64>,
    /// The most memory that was not a file's, in bytes, as the kernel tells it.
    pub anonymous_bytes_max: u64,
}
