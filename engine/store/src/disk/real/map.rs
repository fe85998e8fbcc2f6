//! Bytes of a file, read in place through a read-only map. The `unsafe` of reading them stands in this file.
//!
//! A file is mapped as a whole, once; every view is a share of that map and a range. A map is never turned into a slice
//! as a whole, because its upper part is still being written: slices are built of viewed ranges only, whose bytes stay
//! as they are. A file that has grown since is mapped again, and the views of the earlier map live on.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::os::fd::AsFd;
use std::slice;
use std::sync::Arc;

use memmap2::{MmapOptions, MmapRaw};
use parking_lot::Mutex;

use super::lost_pages::{LostPages, Registration};

/// A range of a file's bytes, read in place. Cloning shares the map; the map goes with its last view and its file.
///
/// Invariant: `start + len <= map.len()`, upheld by `FileMap::view`, the only place that makes one.
#[derive(Clone, Debug)]
pub struct RealView {
    map: Arc<Map>,
    start: usize,
    len: usize,
}

/// A file as it lies in memory. The registration goes first, while the map is still in place and the file open.
#[derive(Debug)]
struct Map {
    _registration: Option<Registration>,
    bytes: MmapRaw,
    _file: Arc<File>,
}

impl Map {
    fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl Deref for RealView {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let first = self.map.bytes.as_ptr().wrapping_add(self.start);
        // SAFETY: a slice may be built of `len` bytes from `first`, for as long as `self` is borrowed, because
        // - they lie inside one mapping (the invariant of `RealView`), which `self.map` keeps in place;
        // - the mapping is as long as the file or shorter, and no code of ours shortens a file: its length is fixed
        //   from `allocate` until the file is removed, and a removed file lives as long as its map;
        // - they are initialised, as all mapped bytes are, and nothing changes them while they can be viewed:
        //   the file's fence refuses every write below a viewed end, published bytes are never rewritten by the
        //   engine, and the writer's `flock` keeps the writers of all other gesta processes out;
        // - `u8` has no alignment and no invalid values, and a mapping is no longer than `isize::MAX`.
        // A foreign process that shortens the file is outside this, and so is a disk that fails: touching a lost page raises
        // a signal, or yields zeros where lost pages are contained, which the file counts. A foreign process that writes into
        // the file shows as a failed checksum.
        unsafe { slice::from_raw_parts(first, self.len) }
    }
}

/// The map of one open file, made when it is first viewed.
#[derive(Debug, Default)]
pub(super) struct FileMap {
    newest: Mutex<Option<Arc<Map>>>,
    lost: LostPages,
}

impl FileMap {
    /// The bytes of `range`; `UnexpectedEof` when `file` ends before.
    pub(super) fn view(&self, file: &Arc<File>, range: Range<u64>) -> io::Result<RealView> {
        let start = usize::try_from(range.start).map_err(io::Error::other)?;
        let end = usize::try_from(range.end).map_err(io::Error::other)?;
        let Some(len) = end.checked_sub(start) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a view that ends before it starts"));
        };
        let map = self.reaching(file, end)?;
        assert!(start + len <= map.len(), "the map reaches the end of the view");
        Ok(RealView { map, start, len })
    }

    /// How many pages of the file's maps were lost.
    pub(super) fn lost_pages(&self) -> u64 {
        self.lost.count()
    }

    /// A map that is at least `end` bytes long.
    fn reaching(&self, file: &Arc<File>, end: usize) -> io::Result<Arc<Map>> {
        let mut newest = self.newest.lock();
        if let Some(map) = newest.as_ref().filter(|map| map.len() >= end) {
            return Ok(Arc::clone(map));
        }
        let file_len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        if file_len < end {
            let text = format!("a view up to {end} of a file of {file_len} bytes");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        let bytes = MmapOptions::new().len(file_len).map_raw_read_only(&**file)?;
        let registration = Registration::of((bytes.as_ptr() as usize, bytes.len()), file.as_fd(), &self.lost);
        let map = Arc::new(Map { _registration: registration, bytes, _file: Arc::clone(file) });
        *newest = Some(Arc::clone(&map));
        Ok(map)
    }
}
