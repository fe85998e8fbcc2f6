//! Room for the bodies of large frames.
//!
//! What must stay true: whoever announces a large body and is slow to send it holds up other large ones alone, and only
//! for as long as it keeps its pace.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room, in kibibytes.
pub(crate) struct Room {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// A connection has a buffer of this size anyhow.
pub(super) const SMALL_BYTES: usize = 64 << 10;

impl Room {
    /// Room for so many bytes, and for the largest frame in any case.
    pub(crate) fn new(bytes_max: usize, frame_bytes_max: usize) -> Self {
        let large = (bytes_max / 2).max(frame_bytes_max);
        let small = bytes_max.saturating_sub(large).max(SMALL_BYTES);
        let [small, large] = [small, large].map(|bytes| Arc::new(Semaphore::new(bytes.div_ceil(1024))));
        Self { small, large }
    }

    /// Room for a body that is about to come, once there is some: for a large one only.
    pub(crate) async fn ahead_of(&self, body_bytes: u32) -> Option<OwnedSemaphorePermit> {
        if body_bytes as usize <= SMALL_BYTES { None } else { Some(take(&self.large, body_bytes).await) }
    }

    /// Room for a small body that has come, once there is some.
    pub(crate) async fn behind(&self, body_bytes: u32) -> OwnedSemaphorePermit {
        take(&self.small, body_bytes).await
    }
}

async fn take(room: &Arc<Semaphore>, body_bytes: u32) -> OwnedSemaphorePermit {
    let kibibytes = body_bytes.div_ceil(1024).max(1);
    Arc::clone(room).acquire_many_owned(kibibytes).await.expect("the room is never closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn the_largest_frame_fits_whatever_the_settings_and_small_ones_do_beside_it() {
        for (bytes_max, frame_bytes_max) in [(64 << 10, 64 << 10), ((1 << 20) + 1, (1 << 20) + 1), (1 << 30, 1 << 20)] {
            let room = Room::new(bytes_max, frame_bytes_max);
            let largest = u32::try_from(frame_bytes_max).unwrap();
            let _held = room.ahead_of(largest).now_or_never().expect("there is room for the largest");
            assert!(room.behind(64 << 10).now_or_never().is_some(), "{bytes_max}");
        }
    }

    #[test]
    fn large_ones_wait_for_each_other_before_they_come_and_small_ones_after() {
        let room = Room::new(200 << 10, 100 << 10);
        let held = room.ahead_of(100 << 10).now_or_never().unwrap();
        assert!(held.is_some() && room.ahead_of(65 << 10).now_or_never().is_none());
        assert!(room.ahead_of(64 << 10).now_or_never().unwrap().is_none(), "nothing is held for what may never come");
        drop(held);
        assert!(room.ahead_of(65 << 10).now_or_never().unwrap().is_some());
        let _small = room.behind(64 << 10).now_or_never().unwrap();
        assert!(room.behind(64 << 10).now_or_never().is_none());
    }
}
