//! Which stores there are, and those that are open.

use super::error::StoreError;
use super::file_system;
use super::name::StoreName;
use super::open_store::OpenStore;
use gesta::Options;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

/// The stores below one directory.
pub(crate) struct Shelf {
    directory: PathBuf,
    /// The options of each store, by its name.
    options: Box<dyn Fn(&StoreName) -> Options + Send + Sync>,
    open_max: usize,
    state: Mutex<State>,
    /// Held for as long as the server runs.
    _lock: File,
}

#[derive(Default)]
struct State {
    open: BTreeMap<StoreName, Arc<Shared>>,
    is_closed: bool,
}

/// A store that is open, or about to be. Whoever comes while it is being opened waits for that one, not for the shelf.
#[derive(Default)]
struct Shared {
    store: Mutex<Option<Arc<OpenStore>>>,
}

/// How closing went.
#[derive(Debug)]
pub(crate) struct Closed {
    /// Stores that could not be closed cleanly.
    pub(crate) failed: Vec<(StoreName, gesta::CloseError)>,
    /// Stores whose closing had not ended in time.
    pub(crate) unfinished: Vec<StoreName>,
}

const LOCK: &str = "server.lock";

impl Shelf {
    /// The stores of a directory, which is made if need be; one of the name `default` is made as well. Of a directory on
    /// another machine only if it allows that.
    pub(crate) fn open(
        directory: &Path,
        allows_remote: bool,
        open_max: usize,
        options: impl Fn(&StoreName) -> Options + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let failed = |path: &Path, what| {
            let path = path.to_owned();
            move |error: io::Error| StoreError::Directory { path, what, error: Arc::new(error) }
        };
        if gesta::is_store(directory) {
            return Err(StoreError::IsAStore { path: directory.to_owned() });
        }
        file_system::check(directory, allows_remote)?;
        std::fs::create_dir_all(directory).map_err(failed(directory, "cannot make the directory"))?;
        let path = directory.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(failed(&path, "cannot open the lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path }),
            Err(TryLockError::Error(error)) => return Err(failed(&path, "cannot take the lock")(error)),
        }
        let (directory, options, state) = (directory.to_owned(), Box::new(options), Mutex::default());
        let shelf = Self { directory, options, open_max, state, _lock: lock };
        let default = StoreName::DEFAULT.parse()?;
        if !shelf.has(&default) {
            shelf.create(&default)?;
        }
        Ok(shelf)
    }

    /// The names of all stores, open or not, in their order.
    pub(crate) fn names(&self) -> Result<Vec<StoreName>, StoreError> {
        let failed = |error: io::Error| {
            let (path, what) = (self.directory.clone(), "cannot list the directory");
            StoreError::Directory { path, what, error: Arc::new(error) }
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.to_str().and_then(|name| name.parse().ok()).filter(|name| self.has(name)));
        }
        names.sort();
        Ok(names)
    }

    /// The store of a name, if it is open: at once.
    pub(crate) fn get_open(&self, name: &StoreName) -> Option<Arc<OpenStore>> {
        let state = self.state.lock();
        let shared = state.open.get(name).filter(|_| !state.is_closed)?;
        shared.store.try_lock()?.clone()
    }

    /// The store of a name, opened if it is not yet. May take long: not for a thread that others wait for.
    pub(crate) fn get(&self, name: &StoreName) -> Result<Arc<OpenStore>, StoreError> {
        loop {
            let shared = self.place_for(name, || {
                if self.has(name) { Ok(()) } else { Err(StoreError::Unknown { name: name.to_string() }) }
            })?;
            let mut store = shared.store.lock();
            if let Some(store) = &*store {
                return Ok(Arc::clone(store));
            }
            if !self.is_place_of(name, &shared) {
                // Whoever was here before could not open it: a store that is opened in this place would be on no shelf.
                continue;
            }
            return self.open_in(&mut store, name);
        }
    }

    /// Makes a store.
    pub(crate) fn create(&self, name: &StoreName) -> Result<Arc<OpenStore>, StoreError> {
        let shared = self.place_for(name, || {
            if self.has(name) { Err(StoreError::Exists { name: name.to_string() }) } else { Ok(()) }
        })?;
        let mut store = shared.store.lock();
        if store.is_some() || !self.is_place_of(name, &shared) {
            return Err(StoreError::Exists { name: name.to_string() });
        }
        self.open_in(&mut store, name)
    }

    /// Opens a store, or makes it, in its place, which is given up when that fails.
    fn open_in(&self, place: &mut Option<Arc<OpenStore>>, name: &StoreName) -> Result<Arc<OpenStore>, StoreError> {
        match OpenStore::open(name.clone(), &self.path(name), (self.options)(name)) {
            Ok(opened) => Ok(Arc::clone(place.insert(Arc::new(opened)))),
            Err(error) => {
                tracing::error!(store = %name, %error, "cannot open the store");
                self.state.lock().open.remove(name);
                Err(error)
            }
        }
    }

    /// Closes all stores at once: everything that was taken is durable afterwards. Waits until a time, and no longer: a
    /// disk that does not answer holds up the thread of its store alone.
    pub(crate) fn close(&self, deadline: Instant) -> Closed {
        let open = {
            let mut state = self.state.lock();
            state.is_closed = true;
            state.open.clone()
        };
        let mut closed = Closed { failed: Vec::new(), unfinished: open.keys().cloned().collect() };
        let (done, outcomes) = mpsc::channel();
        for (name, shared) in open {
            let done = done.clone();
            let close = move || {
                let outcome = shared.store.lock().as_ref().map_or(Ok(()), |store| store.close());
                // Nobody listens once the time is over.
                let _ = done.send((name, outcome));
            };
            if let Err(error) = thread::Builder::new().name("gesta-close".to_owned()).spawn(close) {
                tracing::error!(%error, "cannot start a thread to close a store");
            }
        }
        drop(done);
        // Ends early when all threads have.
        while let Ok((name, outcome)) = outcomes.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            closed.unfinished.retain(|unfinished| *unfinished != name);
            closed.failed.extend(outcome.err().map(|error| (name, error)));
        }
        closed
    }

    /// The place of a store among those that are open; `check` is asked when it is not open yet.
    fn place_for(
        &self,
        name: &StoreName,
        check: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Arc<Shared>, StoreError> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(StoreError::Stopping);
        }
        if let Some(shared) = state.open.get(name) {
            return Ok(Arc::clone(shared));
        }
        check()?;
        if state.open.len() >= self.open_max {
            return Err(StoreError::TooMany { max: self.open_max });
        }
        Ok(Arc::clone(state.open.entry(name.clone()).or_default()))
    }

    /// Does something while the place of an open store is held as by somebody who is opening it.
    #[cfg(test)]
    pub(crate) fn while_opening<T>(&self, name: &StoreName, act: impl FnOnce() -> T) -> T {
        let shared = Arc::clone(&self.state.lock().open[name]);
        let _held = shared.store.lock();
        act()
    }

    /// Whether a store that is opened in this place is found there.
    fn is_place_of(&self, name: &StoreName, shared: &Arc<Shared>) -> bool {
        self.state.lock().open.get(name).is_some_and(|place| Arc::ptr_eq(place, shared))
    }

    fn has(&self, name: &StoreName) -> bool {
        gesta::is_store(self.path(name))
    }

    fn path(&self, name: &StoreName) -> PathBuf {
        self.directory.join(name.as_str())
    }
}
