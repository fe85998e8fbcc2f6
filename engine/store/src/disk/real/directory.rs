//! One directory of a file system.
//!
//! Names never leave the directory: a name with a `/` in it is a mistake of ours and asserts. Directory changes are
//! durable after [`RealDisk::sync_dir`] only, which syncs the directory itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::file::RealFile;
use super::lost_pages::lost_pages;
use crate::disk::{Access, Disk};

/// A directory of a file system that holds a store.
#[derive(Clone, Debug)]
pub struct RealDisk {
    path: Arc<Path>,
}

impl RealDisk {
    /// Opens a directory that exists; `NotFound` or `NotADirectory` otherwise.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let metadata = fs::metadata(path).map_err(naming(path))?;
        if !metadata.is_dir() {
            return Err(naming(path)(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { path: path.into() })
    }

    /// Makes the directory, and those above it, where they are missing, and opens it. What was made survives a power
    /// cut.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let missing: Vec<&Path> = path.ancestors().take_while(|above| !is_present(above)).collect();
        let existed = missing.is_empty();
        fs::create_dir_all(path).map_err(naming(path))?;
        for made in missing {
            sync_directory(parent(made))?;
        }
        match sync_directory(parent(path)) {
            // Not ours to sync; a directory that an administrator made for us is older than this call.
            Err(error) if existed && error.kind() == io::ErrorKind::PermissionDenied => {}
            // An earlier process may have made the directory and died before it synced the name.
            outcome => outcome?,
        }
        Self::open(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        assert!(!matches!(name, "" | "." | ".."), "a file name, not {name:?}");
        assert!(!name.contains('/'), "a file name without a directory, not {name:?}");
        self.path.join(name)
    }
}

impl Disk for RealDisk {
    type File = RealFile;
    type Lock = RealLock;

    fn create(&self, name: &str) -> io::Result<RealFile> {
        let path = self.path(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(naming(&path))?;
        Ok(RealFile::new(file, path, Access::Write))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<RealFile> {
        let path = self.path(name);
        let file = OpenOptions::new().read(true).write(access == Access::Write).open(&path).map_err(naming(&path))?;
        Ok(RealFile::new(file, path, access))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(naming(&self.path))? {
            let entry = entry.map_err(naming(&self.path))?;
            let is_dir = entry.file_type().map_err(naming(&entry.path()))?.is_dir();
            // The engine makes neither directories nor names that are not UTF-8: they are somebody else's.
            if let (false, Ok(name)) = (is_dir, entry.file_name().into_string()) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let path = self.path(from);
        fs::rename(&path, self.path(to)).map_err(naming(&path))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.path(name);
        fs::remove_file(&path).map_err(naming(&path))
    }

    fn link(&self, name: &str, other: &Self, other_name: &str) -> io::Result<bool> {
        let path = self.path(name);
        // A link to a link would be none to the file.
        if !fs::symlink_metadata(&path).map_err(naming(&path))?.is_file() {
            return Ok(false);
        }
        match fs::hard_link(&path, other.path(other_name)) {
            Ok(()) => Ok(true),
            // Another file system; one without links; a file with all the names it may have; a file of another user.
            Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::XDEV | Errno::OPNOTSUPP | Errno::NOSYS | Errno::MLINK | Errno::PERM) => Ok(false),
                _ => Err(naming(&path)(error)),
            },
        }
    }

    fn sync_dir(&self) -> io::Result<()> {
        sync_directory(&self.path)
    }

    fn lock(&self, name: &str) -> io::Result<Option<RealLock>> {
        let path = self.path(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(naming(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(RealLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(naming(&path)(error)),
        }
    }

    fn free_space(&self) -> io::Result<u64> {
        let space = rustix::fs::statvfs(&*self.path).map_err(|errno| naming(&self.path)(errno.into()))?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn folder(&self, name: &str, access: Access) -> io::Result<Option<Self>> {
        let path = self.path(name);
        if access == Access::Write {
            match fs::create_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                outcome => outcome.map_err(naming(&path))?,
            }
        }
        match Self::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    fn lost_pages(&self) -> u64 {
        lost_pages()
    }

    fn describe(&self, name: &str) -> String {
        let path = if name.is_empty() { self.path.to_path_buf() } else { self.path(name) };
        path.display().to_string()
    }
}

/// Keeps every other writer out, in this process and in others, until it is dropped or the process dies.
///
/// The lock belongs to the open lock file, not to the file's presence: what a killed process leaves behind locks nobody
/// out.
#[derive(Debug)]
pub struct RealLock {
    file: File,
}

impl Drop for RealLock {
    /// Gives the lock back by name. Closing the file would not do: a process that this one is just starting holds copies of
    /// all open files until it runs its program, and the lock lives as long as the last of them.
    fn drop(&mut self) {
        // Should it fail, the closing file gives the lock back, if a moment later.
        let _ = self.file.unlock();
    }
}

/// Puts the path before the error's text and keeps its kind.
pub(super) fn naming(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = File::open(path).map_err(naming(path))?;
    rustix::fs::fsync(&directory).map_err(|errno| naming(path)(errno.into()))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        // A relative path of one part lies in the current directory.
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        // The root has no name that could be lost.
        None => path,
    }
}

fn is_present(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that is being started holds a copy of every open file until it runs its program. A store that was closed
    /// and opened again in that moment was refused, as if another process had it open.
    #[test]
    fn a_lock_that_was_given_back_is_free_while_a_copy_of_its_file_is_open() {
        let directory = tempfile::tempdir().unwrap();
        let disk = RealDisk::open(directory.path()).unwrap();
        let lock = disk.lock("lock").unwrap().unwrap();
        let _copy = lock.file.try_clone().unwrap();
        drop(lock);
        assert!(disk.lock("lock").unwrap().is_some());
    }
}
