//! Makes the next segment before it is needed, so that no commit ever waits for it or fails for want of it; and writes the
//! index of the last one. In between, it scrubs.

use super::appender::Appender;
use super::staging::{Refusal, SpareState, Staging};
use crate::disk::Disk;
use crate::log::{build_spare, keep_reserve};
use crate::options::Upkeep;
use crate::sync::Instant;
use std::sync::Arc;
use std::time::Duration;

/// The clock that says when a scrub is due may jump: it is looked at again after this at the latest.
const SCRUB_SLEEP_MAX: Duration = Duration::from_secs(60);

impl<D: Disk> Appender<D> {
    /// Builds the spare that is ordered, if one is.
    pub(super) fn keep(&self) {
        let mut staging = self.staging.lock();
        let SpareState::Ordered { number, bytes } = staging.spare else { return };
        staging.spare = SpareState::Building;
        drop(staging);
        let built = build_spare(&self.disk, number, bytes);
        if built.is_ok() {
            keep_reserve(&self.disk);
        }
        let mut staging = self.staging.lock();
        staging.spare = match built {
            Ok(spare) => SpareState::Ready(spare),
            Err(error) => SpareState::Failed { bytes, cause: Arc::new(error) },
        };
        drop(staging);
        self.room_made.notify_all();
    }

    /// Has the index file of a segment written that was just sealed.
    pub(super) fn see_to_index(&self) {
        match self.options.upkeep {
            Upkeep::Inline => self.keep_index(),
            Upkeep::Threads => {
                self.staging.lock().has_sealed = true;
                self.order.notify_one();
            }
        }
    }

    /// Makes all index files anew.
    pub(crate) fn rebuild_index(&self, progress: &mut dyn FnMut(u64, u64)) -> std::io::Result<()> {
        self.index.rebuild(&self.disk, progress)
    }

    /// Writes the index files that are missing. One that cannot be written is tried again after the next roll.
    pub(super) fn keep_index(&self) {
        // A disk that hands out other bytes than were written would have the same files written for ever.
        for _ in 0..2 * self.index.part_count() + 8 {
            if self.staging.lock().is_stopping || !self.index.keep(&self.disk).unwrap_or(false) {
                return;
            }
        }
    }

    /// Does what is due of the scrub; says how long it is until the next step is, if the options ask for any.
    pub(crate) fn scrub_on(&self) -> Option<Duration> {
        let scrub = self.scrub.as_ref()?;
        if matches!(self.staging.lock().refusal, Some(Refusal::Degraded(_) | Refusal::Closed)) {
            return None;
        }
        let due = scrub.step();
        if due.has_lost_index {
            self.keep_index();
        }
        Some(due.wait)
    }

    /// The keeper's thread. Of the scrub it does one short step at a time: whoever needs a spare does not wait for more.
    pub(super) fn run_keeper(&self) {
        let mut scrub_at = self.scrub.is_some().then(Instant::now);
        loop {
            let mut staging = self.staging.lock();
            let is_idle = |staging: &Staging<D>| {
                !staging.is_stopping && !staging.has_sealed && !matches!(staging.spare, SpareState::Ordered { .. })
            };
            while is_idle(&staging) && scrub_at.is_none_or(|due| due > Instant::now()) {
                match scrub_at {
                    Some(due) => drop(self.order.wait_until(&mut staging, due)),
                    None => self.order.wait(&mut staging),
                }
            }
            if staging.is_stopping {
                return;
            }
            let has_sealed = std::mem::take(&mut staging.has_sealed);
            drop(staging);
            self.keep();
            if has_sealed {
                self.keep_index();
            }
            if scrub_at.is_some_and(|due| due <= Instant::now()) {
                scrub_at = self.scrub_on().map(|wait| Instant::now() + wait.min(SCRUB_SLEEP_MAX));
            }
        }
    }
}
