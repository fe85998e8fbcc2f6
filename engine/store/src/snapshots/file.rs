//! One snapshot file: read to its end, added to at its end.

use super::entry::{ENTRY_HEAD_BYTES, Entry, FILE_HEAD_BYTES, Origin};
use crate::disk::{Access, Disk, DiskFile};
use crate::log::snapshot_name;
use std::io;
use std::sync::Arc;

/// How much is read at once when a file is walked through.
const READ_BYTES: u64 = 64 << 10;
/// By how much a file grows at least.
const GROWTH_BYTES: u64 = 64 << 10;

/// One file, and how far it is known.
pub(super) struct SnapshotFile<D: Disk> {
    pub(super) number: u64,
    pub(super) file: Arc<D::File>,
    /// Where the next entry goes.
    pub(super) end: u64,
    /// How many entries there are.
    pub(super) entry_count: usize,
    /// The check that the next entry continues.
    check: u64,
    /// How long the file is.
    length: u64,
}

impl<D: Disk> SnapshotFile<D> {
    /// Makes a new file without entries.
    pub(super) fn create(disk: &D, origin: &Origin, number: u64) -> io::Result<Self> {
        let file = disk.create(&snapshot_name(number))?;
        let (head, check) = origin.file_head(number);
        file.allocate(FILE_HEAD_BYTES as u64)?;
        file.write_at(&head, 0)?;
        let end = FILE_HEAD_BYTES as u64;
        Ok(Self { number, file: Arc::new(file), end, entry_count: 0, check, length: end })
    }

    /// Opens a file at its first entry; `None` when it is not one of this store and version.
    pub(super) fn open(disk: &D, origin: &Origin, number: u64, access: Access) -> Option<Self> {
        let file = disk.open(&snapshot_name(number), access).ok()?;
        let mut found = [0; FILE_HEAD_BYTES];
        file.read_at(&mut found, 0).ok()?;
        let (head, check) = origin.file_head(number);
        let end = FILE_HEAD_BYTES as u64;
        (found == head).then(|| Self { number, file: Arc::new(file), end, entry_count: 0, check, length: end })
    }

    /// Walks on over the entries that follow, handing out each with its name and offset. What is no entry is the end.
    pub(super) fn walk(&mut self, origin: &Origin, mut hand_out: impl FnMut(Entry, &str, u64)) -> io::Result<()> {
        self.length = self.file.len()?;
        let mut window = Window { file: &*self.file, length: self.length, start: 0, bytes: Vec::new() };
        while let Some((head, name)) = window.entry_at(self.end)? {
            let Some(entry) = Entry::decode(head) else { break };
            let within = self.length.checked_sub(self.end).is_some_and(|rest| {
                entry.data_bytes <= rest && entry.bytes() <= rest && entry.name_bytes as usize <= name.len()
            });
            if !within {
                break;
            }
            let name = &name[..entry.name_bytes as usize];
            let Some(check) = Entry::verify(origin, self.check, head, name) else { break };
            let Ok(name) = str::from_utf8(name) else { break };
            hand_out(entry, name, self.end);
            self.end += entry.bytes();
            self.entry_count += 1;
            self.check = check;
        }
        Ok(())
    }

    /// Adds an entry, at most up to the file's largest length, and returns where it begins. After a failure the next one goes to the same place.
    pub(super) fn add(
        &mut self,
        origin: &Origin,
        entry: &Entry,
        (name, data): (&str, &[u8]),
        bytes_max: u64,
    ) -> io::Result<u64> {
        let (bytes, check) = entry.encode(origin, self.check, name, data);
        let (offset, end) = (self.end, self.end + entry.bytes());
        debug_assert_eq!(bytes.len() as u64, entry.bytes());
        if end > self.length {
            let length = end.next_multiple_of(GROWTH_BYTES).min(bytes_max).max(end);
            self.file.allocate(length)?;
            self.length = length;
        }
        self.file.write_at(&bytes, offset)?;
        self.end = end;
        self.entry_count += 1;
        self.check = check;
        Ok(offset)
    }
}

/// A part of a file in memory.
struct Window<'f, F> {
    file: &'f F,
    length: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<F: DiskFile> Window<'_, F> {
    /// What may be the head of an entry and its name, with whatever follows; `None` at the end of the file.
    fn entry_at(&mut self, offset: u64) -> io::Result<Option<(&[u8; ENTRY_HEAD_BYTES], &[u8])>> {
        const LONGEST: u64 = (ENTRY_HEAD_BYTES + gesta_model::limits::SNAPSHOT_KEY_BYTES_MAX) as u64;
        let wanted = LONGEST.min(self.length.saturating_sub(offset));
        let is_here = offset >= self.start && offset + wanted <= self.start + self.bytes.len() as u64;
        if !is_here {
            let count = READ_BYTES.min(self.length.saturating_sub(offset));
            self.bytes.resize(usize::try_from(count).expect("a small number"), 0);
            self.file.read_at(&mut self.bytes, offset)?;
            self.start = offset;
        }
        let at = usize::try_from(offset - self.start).expect("it is in the window");
        Ok(self.bytes[at..].split_first_chunk())
    }
}
