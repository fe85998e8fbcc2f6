//! Whole batches, for whoever takes them to another place.

use super::sweep::Sweep;
use crate::disk::{Disk, RealDisk};
use gesta_model::{Position, ReadError};

/// The batches of a stretch of the log, verified, each as it travels: the portable header, then the body.
///
/// The first batch may begin before the range that was asked for, and the last end beyond it.
pub struct Batches<D: Disk = RealDisk> {
    sweep: Sweep<D>,
}

impl<D: Disk> Batches<D> {
    pub(super) fn new(sweep: Sweep<D>) -> Self {
        Self { sweep }
    }

    /// The bytes of the next batch; `None` when all have been read.
    ///
    /// After [`ReadError::Damaged`] the next call goes on beyond the damage.
    pub fn next_batch(&mut self) -> Option<Result<&[u8], ReadError>> {
        self.sweep.next_batch().transpose()
    }

    /// Everything below it was handed out.
    #[must_use]
    pub fn position(&self) -> Position {
        self.sweep.remaining_positions().start
    }
}
