//! What became of the events that were read.

use crate::failure::Failure;
use crate::output::Output;
use serde::Serialize;

/// Counts of events, in the order of their JSON form. Only what the store acknowledged counts as added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    /// Events that were read, good or bad.
    pub(crate) read: u64,
    /// Events that are new in the store.
    pub(crate) added: u64,
    /// Events whose ids were there already.
    pub(crate) duplicate: u64,
    /// Events that could not be understood.
    pub(crate) failed: u64,
}

impl Tally {
    /// Prints the counts.
    pub(crate) fn print(&self, is_json: bool) -> Result<(), Failure> {
        let Self { read, added, duplicate, failed } = self;
        let mut output = Output::lock();
        if is_json {
            output.json(self)?;
        } else {
            output.text(&format!("read {read}, added {added}, duplicate {duplicate}, failed {failed}"))?;
        }
        output.flush()
    }
}
