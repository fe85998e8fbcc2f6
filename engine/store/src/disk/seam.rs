//! What the engine asks of a disk.
//!
//! A [`Disk`] is one directory; it may have folders, each a disk of its own. File names are chosen by the engine and never come from user input.
//!
//! What must stay true behind the seam:
//! - a directory change (create, rename, remove) survives a power cut only after [`Disk::sync_dir`];
//! - a write survives a power cut only after [`DiskFile::sync_data`] has returned `Ok`;
//! - after a failed `sync_data` nothing is known of the writes before it, and a later `Ok` says nothing about them;
//! - bytes that were handed out by [`DiskFile::view`] are never written again: an implementation refuses such a write.

use std::io;
use std::ops::{Deref, Range};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read; writes are refused.
    Read,
    /// Read and written.
    Write,
}

/// One directory that holds a store.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file of this disk.
    type File: DiskFile;
    /// Held by the one writer; dropping it lets the next one in.
    type Lock: Send + Sync + 'static;

    /// Makes an empty file for reading and writing; `AlreadyExists` when the name is taken.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens an existing file; `NotFound` when there is none.
    fn open(&self, name: &str, access: Access) -> io::Result<Self::File>;

    /// The names of all files in the directory, in no particular order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Renames a file, replacing what the new name stood for.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a name.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file a second name, in another directory; `AlreadyExists` when that name is taken. `false` where a file cannot
    /// have names in both: it must be copied.
    fn link(&self, name: &str, other: &Self, other_name: &str) -> io::Result<bool> {
        let _ = (name, other, other_name);
        Ok(false)
    }

    /// Makes every directory change so far survive a power cut.
    fn sync_dir(&self) -> io::Result<()>;

    /// Takes the writer's lock without waiting; `None` when another writer holds it.
    fn lock(&self, name: &str) -> io::Result<Option<Self::Lock>>;

    /// Bytes that may still be allocated.
    fn free_space(&self) -> io::Result<u64>;

    /// A folder in the directory, for what is read and replaced by name alone and never has to survive a power cut. With
    /// [`Access::Write`] it is made where it is missing. `None` where it is missing, or the disk has no folders.
    fn folder(&self, name: &str, access: Access) -> io::Result<Option<Self>> {
        let _ = (name, access);
        Ok(None)
    }

    /// How many pages of any files were lost as [`DiskFile::lost_pages`] says.
    fn lost_pages(&self) -> u64 {
        0
    }

    /// Where the file lies, for a message to a person; without a name, where the directory lies.
    fn describe(&self, name: &str) -> String;
}

/// An open file. All offsets and lengths are in bytes.
#[allow(clippy::len_without_is_empty, reason = "no file of a store is asked whether it is empty")]
pub trait DiskFile: Send + Sync + 'static {
    /// Bytes of the file that can be read in place.
    type View: Deref<Target = [u8]> + Clone + Send + Sync + 'static;

    /// The length of the file.
    fn len(&self) -> io::Result<u64>;

    /// Reserves blocks and grows the file to `len` bytes, reading as zeros; `StorageFull` when there is no room.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Fills all of `buffer` from `offset`; `UnexpectedEof` when the file ends before.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, in one call where the system allows it.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes every write so far survive a power cut. A failure is final: the caller never tries again.
    fn sync_data(&self) -> io::Result<()>;

    /// Has the device begin to write these bytes, and waits for nothing, so that a later sync has less to do. A hint: it makes
    /// nothing durable and may do nothing.
    fn begin_writing(&self, _range: Range<u64>) {}

    /// Forgets clean cached bytes, so that the next read asks the device. A hint: it may do nothing.
    fn drop_cache(&self) -> io::Result<()>;

    /// How many pages of the file, looked at in place, the disk could not bring: they read as zeros from then on. Asked after a
    /// look, it covers that look.
    fn lost_pages(&self) -> u64 {
        0
    }

    /// The bytes of `range`, in place. They must have been written before and will never be written again.
    fn view(&self, range: Range<u64>) -> io::Result<Self::View>;
}
