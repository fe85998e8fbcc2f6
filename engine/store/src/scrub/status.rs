//! What a scrub has done and found, as whoever asks is told.

use gesta_model::{Damage, Timestamp};

/// What the scrub of a store has done and found since the store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubStatus {
    /// Passes that have ended: each has looked at every segment that was sealed when it began, and at every index file.
    pub passes: u64,
    /// Bytes that were read, in all passes.
    pub bytes: u64,
    /// The pass that is under way.
    pub pass: Option<PassProgress>,
    /// When a pass ended last.
    pub last_pass_ended: Option<Timestamp>,
    /// What the last look at each segment found, in the order of the log; of one segment no more than the first hundred.
    pub damage: Vec<Damage>,
    /// Batches that cannot be read, all of them; several that lie side by side may count as one.
    pub damaged_batches: u64,
    /// Index files that were found damaged, and are made anew.
    pub index_files_damaged: u64,
}

/// How far a pass has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassProgress {
    /// Bytes of the files that were looked at.
    pub bytes_done: u64,
    /// Bytes of all files that it looks at.
    pub bytes_total: u64,
    /// The file that it looks at now.
    pub file: String,
}
