//! Everything that the clones of a simulated disk share.
//!
//! A *generation* lasts from one power cut to the next. Whatever was opened in an earlier generation is dead: a program
//! that lost its power cannot write any more, even when a test still has one of its threads running.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::contents::Contents;
use super::crash::CrashPlan;
use super::fault::{Call, Faults, Outcome};
use super::names::{FileId, Names};
use super::random::Random;

/// What runs at the start of each sync.
pub(super) type SyncHook = Box<dyn FnMut() + Send>;

/// The state of a disk, under one lock.
pub(super) struct State {
    pub(super) names: Names,
    pub(super) faults: Faults,
    pub(super) locks: BTreeSet<String>,
    pub(super) generation: u64,
    pub(super) capacity: Option<u64>,
    pub(super) hook: Option<SyncHook>,
    /// Grows when the hook is replaced, so that one that was taken out to run is not put back over its successor.
    pub(super) hook_version: u64,
    files: BTreeMap<FileId, File>,
    next_file: u64,
    random: Random,
}

#[derive(Clone)]
struct File {
    contents: Contents,
    /// Open files keep their bytes after the name is gone.
    handle_count: usize,
}

impl State {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            names: Names::default(),
            faults: Faults::default(),
            locks: BTreeSet::new(),
            generation: 0,
            capacity: None,
            hook: None,
            hook_version: 0,
            files: BTreeMap::new(),
            next_file: 0,
            random: Random::new(seed),
        }
    }

    /// A copy of the bytes and names, without locks, handles, faults, counts and hook.
    pub(super) fn fork(&self) -> Self {
        let mut fork = Self::new(0);
        fork.names = self.names.clone();
        fork.capacity = self.capacity;
        fork.files = self.files.clone();
        fork.next_file = self.next_file;
        fork.random = self.random.clone();
        fork.files.values_mut().for_each(|file| file.handle_count = 0);
        fork.reap();
        fork
    }

    /// Fails when the power is off or the caller is from before the last power cut.
    pub(super) fn require_power(&self, generation: u64) -> io::Result<()> {
        if generation != self.generation {
            return Err(io::Error::other("simulated power cut: this handle is from before"));
        }
        if self.faults.power_is_off {
            return Err(power_failed());
        }
        Ok(())
    }

    /// Counts a call that may change something and says what becomes of it.
    pub(super) fn count(&mut self, generation: u64, call: Call) -> io::Result<Outcome> {
        self.require_power(generation)?;
        if self.faults.fills_up_next() {
            self.capacity = Some(self.used());
        }
        Ok(self.faults.count(call))
    }

    /// Counts a call and carries it out as a whole, or not at all where a fault says so. When the power fails in it,
    /// it may have taken effect, and nobody hears of it.
    pub(super) fn change<T>(
        &mut self,
        generation: u64,
        call: Call,
        apply: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        match self.count(generation, call)? {
            Outcome::PowerFails => {
                if self.random.chance(500) {
                    let _unheard = apply(self);
                }
                Err(power_failed())
            }
            Outcome::Fails(kind) => Err(failed(kind)),
            _ => apply(self),
        }
    }

    /// The power goes, and comes back.
    pub(super) fn power_cut(&mut self, plan: &CrashPlan) {
        let mut random = Random::new(plan.seed);
        self.names.power_cut(plan, &mut random);
        for file in self.files.values_mut() {
            file.contents.power_cut(plan, &mut random);
            file.handle_count = 0;
        }
        self.locks.clear();
        self.generation += 1;
        self.faults.power_is_off = false;
        self.reap();
    }

    /// Frees the files that have neither a name nor a handle.
    pub(super) fn reap(&mut self) {
        let reachable = self.names.reachable_files();
        self.files.retain(|id, file| file.handle_count > 0 || reachable.contains(id));
    }

    /// A new file with these bytes, without a name yet.
    pub(super) fn add_file(&mut self, contents: Contents) -> FileId {
        let id = FileId(self.next_file);
        self.next_file += 1;
        self.files.insert(id, File { contents, handle_count: 0 });
        id
    }

    pub(super) fn add_handle(&mut self, id: FileId) {
        self.file(id).handle_count += 1;
    }

    pub(super) fn drop_handle(&mut self, id: FileId) {
        self.file(id).handle_count -= 1;
    }

    pub(super) fn contents(&mut self, id: FileId) -> &mut Contents {
        &mut self.file(id).contents
    }

    /// The bytes that may still be allocated.
    pub(super) fn free_space(&self) -> u64 {
        /// What a disk without a capacity claims.
        const UNLIMITED: u64 = 1 << 40;
        self.capacity.unwrap_or(UNLIMITED).saturating_sub(self.used())
    }

    /// The bytes of all files.
    fn used(&self) -> u64 {
        let used: usize = self.names.files().map(|id| self.files[&id].contents.len()).sum();
        used as u64
    }

    /// Grows a file to `len` when there is room.
    pub(super) fn grow(&mut self, id: FileId, len: usize) -> io::Result<()> {
        let more = len.saturating_sub(self.contents(id).len());
        if more > 0 && more as u64 > self.free_space() {
            let text = format!("simulated disk full: {more} bytes more, {} free", self.free_space());
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        self.contents(id).grow(len);
        Ok(())
    }

    /// How many of `len` bytes get through before the power fails.
    pub(super) fn random_part(&mut self, len: usize) -> usize {
        self.random.index(len + 1)
    }

    fn file(&mut self, id: FileId) -> &mut File {
        self.files.get_mut(&id).expect("a handle or a name keeps its file")
    }
}

pub(super) fn power_failed() -> io::Error {
    io::Error::other("simulated power failure")
}

pub(super) fn failed(kind: io::ErrorKind) -> io::Error {
    io::Error::new(kind, format!("simulated failure: {kind}"))
}

/// What the system reports for a broken device.
pub(super) fn broken() -> io::Error {
    rustix::io::Errno::IO.into()
}
