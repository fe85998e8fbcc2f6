//! An open file of a simulated disk.
//!
//! It keeps the same promise about viewed bytes as a real file and is stricter about it: where a real file refuses the
//! write, this one panics, so that a test fails at the mistake.

use std::ops::Range;
use std::sync::Arc;
use std::{fmt, io};

use crate::sync::Mutex;

use super::directory::naming;
use super::fault::{Call, Outcome};
use super::names::FileId;
use super::state::{State, broken, failed, power_failed};
use crate::disk::fence::Fence;
use crate::disk::{Access, DiskFile};

/// An open file of a [`SimulatedDisk`](super::SimulatedDisk). It dies when the power is cut.
pub struct SimulatedFile {
    state: Arc<Mutex<State>>,
    generation: u64,
    id: FileId,
    /// The name it was opened by, for messages.
    name: String,
    access: Access,
    fence: Fence,
}

impl SimulatedFile {
    pub(super) fn open(shared: &Arc<Mutex<State>>, state: &mut State, id: FileId, name: &str, access: Access) -> Self {
        state.add_handle(id);
        Self {
            state: Arc::clone(shared),
            generation: state.generation,
            id,
            name: name.to_owned(),
            access,
            fence: Fence::default(),
        }
    }

    /// Reads a range through `look`, unless it is out of the file or on a bad spot.
    fn read<T>(&self, range: Range<u64>, look: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        let mut state = self.state.lock();
        state.require_power(self.generation)?;
        let is_bad = state
            .names
            .name_of(self.id)
            .is_some_and(|name| state.faults.bad_ranges(name).any(|bad| overlap(bad, &range)));
        if is_bad {
            return Err(broken());
        }
        let bytes = state.contents(self.id).cached();
        match bytes.get(index(range.start)?..index(range.end)?) {
            Some(bytes) => Ok(look(bytes)),
            None if range.start > range.end => Err(io::ErrorKind::InvalidInput.into()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let offset = index(offset)?;
        let mut state = self.state.lock();
        let (count, outcome) = match state.count(self.generation, Call::Write)? {
            Outcome::PowerFails => (state.random_part(bytes.len()), Err(power_failed())),
            Outcome::WriteIsShort => (bytes.len() / 2, Err(broken())),
            Outcome::Fails(kind) => (0, Err(failed(kind))),
            _ => (bytes.len(), Ok(())),
        };
        if count > 0 {
            let end = offset.checked_add(count).ok_or(io::ErrorKind::FileTooLarge)?;
            state.grow(self.id, end)?;
            state.contents(self.id).write(&bytes[..count], offset);
        }
        outcome
    }

    fn sync(&self) -> io::Result<()> {
        let (outcome, flush) = {
            let mut state = self.state.lock();
            (state.count(self.generation, Call::Sync)?, state.contents(self.id).begin_flush())
        };
        self.run_hook();
        let mut state = self.state.lock();
        match outcome {
            Outcome::PowerFails => return Err(power_failed()),
            Outcome::Fails(kind) => return Err(failed(kind)),
            _ => state.require_power(self.generation)?,
        }
        let contents = state.contents(self.id);
        match outcome {
            Outcome::SyncLies => Ok(()),
            Outcome::SyncForgets => {
                contents.forget_flush(&flush);
                Err(broken())
            }
            _ => {
                contents.finish_flush(&flush);
                Ok(())
            }
        }
    }

    /// Runs the test's hook. It is taken out meanwhile, so that a sync inside it does not run it again.
    fn run_hook(&self) {
        let (hook, version) = {
            let mut state = self.state.lock();
            (state.hook.take(), state.hook_version)
        };
        let Some(mut hook) = hook else { return };
        hook();
        let mut state = self.state.lock();
        if state.hook_version == version {
            state.hook = Some(hook);
        }
    }

    fn require_write_access(&self) -> io::Result<()> {
        match self.access {
            Access::Write => Ok(()),
            Access::Read => Err(io::Error::new(io::ErrorKind::PermissionDenied, "opened for reading only")),
        }
    }
}

impl DiskFile for SimulatedFile {
    type View = Arc<[u8]>;

    fn len(&self) -> io::Result<u64> {
        let mut state = self.state.lock();
        state.require_power(self.generation).map_err(naming(&self.name))?;
        Ok(state.contents(self.id).len() as u64)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.require_write_access().map_err(naming(&self.name))?;
        let allocated = self.state.lock().change(self.generation, Call::Allocate, |state| {
            let len = index(len)?;
            state.grow(self.id, len)
        });
        allocated.map_err(naming(&self.name))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(buffer.len() as u64);
        self.read(offset..end, |bytes| buffer.copy_from_slice(bytes)).map_err(naming(&self.name))
    }

    /// Panics below a viewed end: that is the engine's mistake, and a real file would refuse it.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.require_write_access().map_err(naming(&self.name))?;
        let _pass = self.fence.admit_write(offset).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        self.write(bytes, offset).map_err(naming(&self.name))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync().map_err(naming(&self.name))
    }

    fn drop_cache(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        state.require_power(self.generation).map_err(naming(&self.name))?;
        state.contents(self.id).drop_cache();
        Ok(())
    }

    /// A copy of the bytes. Panics when a write below its end is under way.
    fn view(&self, range: Range<u64>) -> io::Result<Arc<[u8]>> {
        let end = range.end;
        let view = self.read(range, |bytes| Arc::from(bytes)).map_err(naming(&self.name))?;
        self.fence.admit_view(end).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        Ok(view)
    }
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimulatedFile").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if state.generation == self.generation {
            state.drop_handle(self.id);
        }
    }
}

pub(super) fn index(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> bool {
    one.start < other.end && other.start < one.end
}
