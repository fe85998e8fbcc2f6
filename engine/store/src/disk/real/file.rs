//! One open file of a real disk.
//!
//! What must stay true here: bytes that were viewed are not written again (the fence refuses it), the file is never
//! shortened, and a failed sync is reported and never repeated, for the kernel may then say `Ok` with the data gone.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::directory::naming;
use super::map::{FileMap, RealView};
use super::write_back::begin_writing;
use crate::disk::fence::Fence;
use crate::disk::{Access, DiskFile};

/// An open file of a [`RealDisk`](super::RealDisk).
#[derive(Debug)]
pub struct RealFile {
    file: Arc<File>,
    path: PathBuf,
    access: Access,
    fence: Fence,
    map: FileMap,
}

impl RealFile {
    pub(super) fn new(file: File, path: PathBuf, access: Access) -> Self {
        Self { file: Arc::new(file), path, access, fence: Fence::default(), map: FileMap::default() }
    }

    /// The one place where a file may get longer without its blocks: only where the file system cannot reserve them.
    fn reserve(&self, len: u64) -> io::Result<()> {
        loop {
            return match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, len) {
                Err(Errno::INTR) => continue,
                Err(Errno::OPNOTSUPP) if self.file.metadata()?.len() < len => self.file.set_len(len),
                Err(Errno::OPNOTSUPP) => Ok(()),
                outcome => outcome.map_err(io::Error::from),
            };
        }
    }

    /// One `pwrite` when the kernel takes all; the rest of a short one follows.
    fn write_all(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.file.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    offset += count as u64;
                }
                // Interrupted before the first byte: nothing was written, nothing is in doubt.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn require_write_access(&self) -> io::Result<()> {
        match self.access {
            Access::Write => Ok(()),
            Access::Read => Err(io::Error::new(io::ErrorKind::PermissionDenied, "opened for reading only")),
        }
    }
}

impl DiskFile for RealFile {
    type View = RealView;

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata().map_err(naming(&self.path))?.len())
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.require_write_access().map_err(naming(&self.path))?;
        if len == 0 {
            return Ok(());
        }
        require_within_limit(len).map_err(naming(&self.path))?;
        self.reserve(len).map_err(naming(&self.path))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset).map_err(naming(&self.path))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.require_write_access().map_err(naming(&self.path))?;
        let _pass = self.fence.admit_write(offset).map_err(naming(&self.path))?;
        self.write_all(bytes, offset).map_err(naming(&self.path))
    }

    /// Exactly one `fdatasync`, also when a signal interrupts it: which writes an interrupted one covered is unknown.
    fn sync_data(&self) -> io::Result<()> {
        rustix::fs::fdatasync(&self.file).map_err(|errno| naming(&self.path)(errno.into()))
    }

    fn begin_writing(&self, range: Range<u64>) {
        begin_writing(&self.file, &range);
    }

    fn drop_cache(&self) -> io::Result<()> {
        // No length means up to the end of the file.
        rustix::fs::fadvise(&self.file, 0, None, Advice::DontNeed).map_err(|errno| naming(&self.path)(errno.into()))
    }

    fn lost_pages(&self) -> u64 {
        self.map.lost_pages()
    }

    fn view(&self, range: Range<u64>) -> io::Result<RealView> {
        let end = range.end;
        let view = self.map.view(&self.file, range).map_err(naming(&self.path))?;
        // The fence before the first look: once the view is handed out no write can reach its bytes.
        self.fence.admit_view(end).map_err(naming(&self.path))?;
        Ok(view)
    }
}

/// Refuses what is longer than the process may make a file: the system would answer with a signal that ends the process.
///
/// Asking here is enough, because no file is ever written beyond its allocated length. A library has no business with the
/// signals of its program.
fn require_within_limit(len: u64) -> io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if len > limit => {
            let text = format!("{len} bytes are more than the {limit} that this process may write: raise `ulimit -f`");
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        _ => Ok(()),
    }
}
