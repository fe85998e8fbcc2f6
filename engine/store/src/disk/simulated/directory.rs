//! The simulated directory, and the switches that a test reaches for.

use crate::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::{fmt, io};

use crate::sync::{Mutex, MutexGuard};

use super::contents::Contents;
use super::crash::CrashPlan;
use super::fault::{Call, Fault};
use super::file::SimulatedFile;
use super::state::State;
use crate::disk::{Access, Disk};

/// A directory in memory. Clones share it.
///
/// Every clone, like every open file, belongs to the time between two power cuts: calls of [`Disk`] through a clone
/// from before a cut fail, so that no thread of the store that "lost its power" reaches the disk of the next one. The
/// clone that made the cut lives on, and so do clones taken of it afterwards. The methods for tests work through any
/// clone.
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    /// Relaxed everywhere: it means something only when compared under the state's lock.
    generation: AtomicU64,
}

impl SimulatedDisk {
    /// An empty disk. The seed decides what a failing power leaves of the call it fails in.
    pub fn new(seed: u64) -> Self {
        Self::over(State::new(seed))
    }

    /// An independent copy of all files and names as they are, durable and cached, with the capacity. Locks, faults,
    /// counts and the hook stay behind.
    pub fn fork(&self) -> Self {
        Self::over(self.state().fork())
    }

    /// Cuts the power and brings it back. What was synced stays, what was pending survives as the plan has it, and
    /// every open file, lock and other clone from before is dead.
    pub fn power_cut(&self, plan: &CrashPlan) {
        let mut state = self.state();
        state.power_cut(plan);
        self.generation.store(state.generation, Ordering::Relaxed);
    }

    /// Prepares a fault. Several may wait at a time.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.inject(fault);
    }

    /// Takes back all faults that wait or persist. It does not bring back power that has failed.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Limits the sum of all file lengths; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Runs `hook` at the start of each `sync_data`, without any lock held. What it writes is not covered by that sync.
    /// A sync inside the hook does not run it again.
    pub fn on_sync(&self, hook: Option<Box<dyn FnMut() + Send>>) {
        let replaced = {
            let mut state = self.state();
            state.hook_version += 1;
            std::mem::replace(&mut state.hook, hook)
        };
        // A hook may own clones of this disk or files of it: their drops take the lock.
        drop(replaced);
    }

    /// How many counted calls were made, see [`Fault`].
    pub fn calls(&self) -> u64 {
        self.state().faults.call_count
    }

    /// How often `sync_data` was called.
    pub fn syncs(&self) -> u64 {
        self.state().faults.sync_count
    }

    /// How often `write_at` was called.
    pub fn writes(&self) -> u64 {
        self.state().faults.write_count
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn over(state: State) -> Self {
        Self { generation: AtomicU64::new(state.generation), state: Arc::new(Mutex::new(state)) }
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }
}

impl Clone for SimulatedDisk {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), generation: AtomicU64::new(self.generation()) }
    }
}

impl fmt::Debug for SimulatedDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimulatedDisk").field("generation", &self.generation()).finish_non_exhaustive()
    }
}

impl Disk for SimulatedDisk {
    type File = SimulatedFile;
    type Lock = SimulatedLock;

    fn create(&self, name: &str) -> io::Result<SimulatedFile> {
        assert_is_name(name);
        let mut state = self.state();
        let id = state
            .change(self.generation(), Call::Names, |state| {
                if state.names.find(name).is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                let id = state.add_file(Contents::default());
                state.names.create(name, id);
                Ok(id)
            })
            .map_err(naming(name))?;
        Ok(SimulatedFile::open(&self.state, &mut state, id, name, Access::Write))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<SimulatedFile> {
        assert_is_name(name);
        let mut state = self.state();
        state.require_power(self.generation()).map_err(naming(name))?;
        let id = state.names.find(name).ok_or_else(|| naming(name)(io::ErrorKind::NotFound.into()))?;
        Ok(SimulatedFile::open(&self.state, &mut state, id, name, access))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.require_power(self.generation())?;
        Ok(state.names.list())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        assert_is_name(from);
        assert_is_name(to);
        let renamed = self.state().change(self.generation(), Call::Names, |state| {
            let id = state.names.find(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.rename(id, to);
            Ok(())
        });
        renamed.map_err(naming(from))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        assert_is_name(name);
        let removed = self.state().change(self.generation(), Call::Names, |state| {
            let id = state.names.find(name).ok_or(io::ErrorKind::NotFound)?;
            state.names.remove(name, id);
            Ok(())
        });
        removed.map_err(naming(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.state().change(self.generation(), Call::Names, |state| {
            state.names.sync();
            state.reap();
            Ok(())
        })
    }

    fn lock(&self, name: &str) -> io::Result<Option<SimulatedLock>> {
        assert_is_name(name);
        let mut state = self.state();
        state.require_power(self.generation()).map_err(naming(name))?;
        if state.names.find(name).is_none() {
            // As on a real disk the lock is a file, and listed.
            let id = state.add_file(Contents::default());
            state.names.create(name, id);
        }
        if !state.locks.insert(name.to_owned()) {
            return Ok(None);
        }
        Ok(Some(SimulatedLock { state: Arc::clone(&self.state), generation: state.generation, name: name.to_owned() }))
    }

    fn free_space(&self) -> io::Result<u64> {
        let state = self.state();
        state.require_power(self.generation())?;
        Ok(state.free_space())
    }

    fn describe(&self, name: &str) -> String {
        format!("simulated disk/{name}")
    }
}

/// Keeps a second writer out until it is dropped or the power goes.
pub struct SimulatedLock {
    state: Arc<Mutex<State>>,
    generation: u64,
    name: String,
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if state.generation == self.generation {
            state.locks.remove(&self.name);
        }
    }
}

impl fmt::Debug for SimulatedLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimulatedLock").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Puts the file's name before the error's text and keeps its kind.
pub(super) fn naming(name: &str) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("simulated disk/{name}: {error}"))
}

fn assert_is_name(name: &str) {
    assert!(!matches!(name, "" | "." | ".."), "a file name, not {name:?}");
    assert!(!name.contains('/'), "a file name without a directory, not {name:?}");
}
