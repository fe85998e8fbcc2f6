//! Makes the next segment before it is needed, so that no commit ever waits for it or fails for want of it.

use super::appender::Appender;
use super::staging::SpareState;
use crate::disk::Disk;
use crate::log::build_spare;
use std::sync::Arc;

impl<D: Disk> Appender<D> {
    /// Builds the spare that is ordered, if one is.
    pub(super) fn keep(&self) {
        let mut staging = self.staging.lock();
        let SpareState::Ordered { number, bytes } = staging.spare else { return };
        staging.spare = SpareState::Building;
        drop(staging);
        let built = build_spare(&self.disk, number, bytes);
        let mut staging = self.staging.lock();
        staging.spare = match built {
            Ok(spare) => SpareState::Ready(spare),
            Err(error) => SpareState::Failed { bytes, cause: Arc::new(error) },
        };
        drop(staging);
        self.room_made.notify_all();
    }

    /// The keeper's thread.
    pub(super) fn run_keeper(&self) {
        loop {
            let mut staging = self.staging.lock();
            while !staging.is_stopping && !matches!(staging.spare, SpareState::Ordered { .. }) {
                self.order.wait(&mut staging);
            }
            if staging.is_stopping {
                return;
            }
            drop(staging);
            self.keep();
        }
    }
}
