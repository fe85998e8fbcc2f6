//! What is known of the projections that are folded from the store.

use super::reader::Reader;
use crate::disk::Disk;
use gesta_model::{Position, ProjectionReport, ProjectionStatus, ReadError, WaitError};
use std::time::Duration;

impl<D: Disk> Reader<D> {
    /// Tells how projections are doing, to this process and, with a delay of up to a second, to those that look on. Returns
    /// the names of those of them whose parked events are to be tried again now.
    ///
    /// What cannot be written for others is known in this process all the same.
    pub fn tell_projections(&self, statuses: &[ProjectionStatus]) -> Vec<String> {
        self.library().board.tell(statuses)
    }

    /// What was told of the projections whose names begin with `prefix`, in the order of names and versions. What another
    /// process was told comes from the store's directory, and is still there when that process has ended.
    #[must_use]
    pub fn projections(&self, prefix: &str) -> Vec<ProjectionReport> {
        self.library().board.list(prefix)
    }

    /// Waits until the version of a projection that serves is told to have folded everything below a position.
    pub fn wait_for_projection(&self, name: &str, position: Position, timeout: Duration) -> Result<(), WaitError> {
        self.library().board.wait(name, position, timeout)
    }

    /// Asks whoever folds a projection, in this process or another, to try its parked events again; `false` when nothing was
    /// ever told of it.
    pub fn ask_to_replay_parked(&self, name: &str) -> Result<bool, ReadError> {
        self.library().board.ask_to_replay(name)
    }

    /// Leaves the folder of projections to the next writer of the store.
    pub(crate) fn close_board(&self) {
        self.library().board.close();
    }
}
