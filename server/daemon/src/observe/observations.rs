//! All that is counted in one server.

use super::plane::{Plane, PlaneObservations};
use super::snapshot::Snapshot;
use super::store_observations::StoreObservations;
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The observations of one server; share it in an `Arc`.
#[derive(Debug)]
pub struct Observations {
    origin: Instant,
    planes: [Arc<PlaneObservations>; 2],
    stores: RwLock<Vec<Arc<StoreObservations>>>,
    reload_failures: AtomicU64,
    /// Milliseconds after `origin`, and one more; 0 when nothing went wrong so far.
    last_error: AtomicU64,
}

impl Default for Observations {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            planes: Default::default(),
            stores: RwLock::default(),
            reload_failures: AtomicU64::new(0),
            last_error: AtomicU64::new(0),
        }
    }
}

impl Observations {
    /// Of a server that starts now.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The counters of a plane; whoever counts often keeps them.
    #[must_use]
    pub fn plane(&self, plane: Plane) -> &Arc<PlaneObservations> {
        &self.planes[plane as usize]
    }

    /// The counters of a store, made at the first call with its name.
    ///
    /// Names are those of stores that are served: a name that only a peer has said must not get here.
    #[must_use]
    pub fn store(&self, name: &str) -> Arc<StoreObservations> {
        let mut stores = self.stores.write();
        if let Some(known) = stores.iter().find(|store| store.name() == name) {
            return Arc::clone(known);
        }
        let store = Arc::new(StoreObservations::new(name.to_owned()));
        stores.push(Arc::clone(&store));
        store
    }

    /// A certificate, a token file or the settings could not be loaded anew; the old ones are in use.
    pub fn reload_failed(&self) {
        self.reload_failures.fetch_add(1, Ordering::Relaxed);
        self.error_seen();
    }

    /// Something went wrong that an operator should look at. What is logged as an error, to the log of this crate, needs no
    /// other word.
    pub fn error_seen(&self) {
        let milliseconds = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.last_error.store(milliseconds + 1, Ordering::Relaxed);
    }

    /// Everything as of now. Asks the stores for their sizes, which looks at their files: not for a thread that must not
    /// wait.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self)
    }

    pub(crate) fn stores(&self) -> Vec<Arc<StoreObservations>> {
        self.stores.read().clone()
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(crate) fn reload_failures(&self) -> u64 {
        self.reload_failures.load(Ordering::Relaxed)
    }

    /// How long ago something last went wrong: by word, or by a line of the log since the start.
    pub(crate) fn last_error_age(&self) -> Option<Duration> {
        let uptime = self.origin.elapsed();
        let told = self.last_error.load(Ordering::Relaxed).checked_sub(1);
        let told = told.map(|at| uptime.saturating_sub(Duration::from_millis(at)));
        let logged = LAST_LOGGED.lock().map(|at| at.elapsed()).filter(|age| *age <= uptime);
        told.into_iter().chain(logged).min()
    }
}

/// When this process last logged an error. A process has one log, whatever runs in it.
static LAST_LOGGED: Mutex<Option<Instant>> = Mutex::new(None);

/// An error was logged.
pub(crate) fn error_logged() {
    *LAST_LOGGED.lock() = Some(Instant::now());
}
