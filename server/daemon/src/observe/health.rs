//! Whether the server is fit to serve: what `/livez` and `/readyz` answer.

use super::observations::Observations;
use super::plane::Plane;
use super::shown::Shown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Judges the server by what it has been told.
///
/// A process that can answer at all is live: restarting it mends neither a disk that hangs nor one that fails.
/// It is ready when its planes listen, it is not about to stop, and every store can take appends.
#[derive(Debug)]
pub struct Health {
    observations: Arc<Observations>,
    /// A commit that takes longer hangs.
    sync_bound: Duration,
    is_listening: [AtomicBool; 2],
    is_draining: AtomicBool,
}

impl Health {
    /// The health of a server that does not listen yet; a write or sync that takes longer than `sync_bound` makes it
    /// fail.
    #[must_use]
    pub fn new(observations: Arc<Observations>, sync_bound: Duration) -> Arc<Self> {
        let health =
            Self { observations, sync_bound, is_listening: Default::default(), is_draining: AtomicBool::new(false) };
        Arc::new(health)
    }

    /// A plane takes connections now, or does so no more.
    pub fn set_listening(&self, plane: Plane, is_listening: bool) {
        self.is_listening[plane as usize].store(is_listening, Ordering::Relaxed);
    }

    /// The server is about to stop: it is not ready any more, whatever else holds.
    pub fn set_draining(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Whether a store had no room for what was to be appended.
    pub(crate) fn is_room_missing(&self) -> bool {
        self.observations.stores().iter().any(|store| store.missing_bytes().is_some())
    }

    /// Asks the file system whether there is room again. It may keep us waiting.
    pub(crate) fn look_for_room(&self) {
        self.observations.stores().iter().for_each(|store| store.look_for_room());
    }

    /// What somebody should look at although the server is ready, one line each: damage that the scrub of a store found. The rest
    /// of the store can be read and is appended to, so it is no reason to send clients away.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let stores = self.observations.stores();
        let damaged = stores.iter().filter_map(|store| Some((store, store.scrub()?)));
        let damaged = damaged.filter(|(_, status)| !status.damage.is_empty());
        damaged
            .map(|(store, status)| {
                let (name, batches) = (Shown(store.name()), status.damaged_batches);
                format!("warning: store {name} is damaged: the scrub found {batches} batches that cannot be read; the log names them")
            })
            .collect()
    }

    /// Why the server is not ready, one line a reason; empty when it is.
    #[must_use]
    pub fn failing(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.is_draining() {
            reasons.push("the server is draining: it is about to stop".to_owned());
        }
        for plane in Plane::ALL {
            if !self.is_listening[plane as usize].load(Ordering::Relaxed) {
                reasons.push(format!("the {} plane does not listen", plane.name()));
            }
        }
        for store in self.observations.stores() {
            let name = Shown(store.name());
            if let Some(cause) = store.failure() {
                reasons.push(format!("store {name} takes no appends: {}", Shown(&cause)));
            }
            if let Some(bytes) = store.missing_bytes() {
                reasons.push(format!("store {name} is full: there was no room for a segment of {bytes} bytes"));
            }
            if let Some(under_way) = store.commit_under_way().filter(|under_way| *under_way > self.sync_bound) {
                let seconds = under_way.as_secs_f64();
                reasons.push(format!("store {name}: a write or sync has been under way for {seconds:.1} s"));
            }
        }
        reasons
    }
}
