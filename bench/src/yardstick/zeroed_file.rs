//! A file whose blocks are all written, with zeros, so that a sync has no file system structures to write.

use crate::outcome::Outcome;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A file that is written from its beginning to its end, and then again.
#[derive(Debug)]
pub struct ZeroedFile {
    file: File,
    bytes: u64,
    offset: u64,
}

impl ZeroedFile {
    /// Bytes of the file: as many as the longest segment of the store by default.
    pub const BYTES: u64 = 256 << 20;

    /// A new file in a directory, filled and synced.
    pub fn create(directory: &Path) -> Outcome<Self> {
        let file = File::create_new(directory.join("yardstick"))?;
        let zeros = vec![0; 4 << 20];
        let mut offset = 0;
        while offset < Self::BYTES {
            file.write_all_at(&zeros, offset)?;
            offset += zeros.len() as u64;
        }
        file.sync_all()?;
        File::open(directory)?.sync_all()?;
        Ok(Self { file, bytes: Self::BYTES, offset: 0 })
    }

    /// One `pwrite` after what was written last.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.offset + bytes.len() as u64 > self.bytes {
            self.offset = 0;
        }
        self.file.write_all_at(bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// One `fdatasync`.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
