//! Rows in a file of zeros.

use driver::Failure;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The file is filled with zeros ahead by so much, so that a sync has no metadata to write.
const AHEAD: u64 = 256 << 20;

/// A file of rows, each behind its length; a length of zero is the end.
pub(crate) struct Rows {
    file: File,
    written_until: u64,
    zeroed_until: u64,
}

impl Rows {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let zeroed_until = file.metadata()?.len();
        let mut rows = Self { file, written_until: 0, zeroed_until };
        let mut written_until = 0;
        rows.each(|row| written_until += 4 + row.len() as u64)?;
        rows.written_until = written_until;
        rows.make_room(1)?;
        Ok(rows)
    }

    /// One `pwrite` and, if it has to be durable, one `fdatasync`.
    pub(crate) fn write(&mut self, bytes: &[u8], is_durable: bool) -> Result<(), Failure> {
        self.make_room(bytes.len() as u64)?;
        self.file.write_all_at(bytes, self.written_until)?;
        self.written_until += bytes.len() as u64;
        if is_durable {
            self.file.sync_data()?;
        }
        Ok(())
    }

    pub(crate) fn sync(&self) -> Result<(), Failure> {
        Ok(self.file.sync_all()?)
    }

    /// Reads the rows a mebibyte at a time.
    pub(crate) fn each(&self, mut each: impl FnMut(&[u8])) -> Result<(), Failure> {
        let mut buffer = vec![0; 1 << 20];
        let (mut at, length) = (0, self.file.metadata()?.len());
        while at < length {
            let wanted = usize::try_from((length - at).min(buffer.len() as u64))?;
            self.file.read_exact_at(&mut buffer[..wanted], at)?;
            let mut rest = &buffer[..wanted];
            while let Some((head, after)) = rest.split_first_chunk() {
                let row_bytes = usize::try_from(u32::from_le_bytes(*head))?;
                if row_bytes == 0 {
                    return Ok(());
                }
                let Some((row, after)) = after.split_at_checked(row_bytes) else { break };
                each(row);
                rest = after;
            }
            let used = wanted - rest.len();
            if used == 0 {
                return Err("a row that is longer than the buffer".into());
            }
            at += used as u64;
        }
        Ok(())
    }

    fn make_room(&mut self, bytes: u64) -> Result<(), Failure> {
        while self.zeroed_until < self.written_until + bytes + (1 << 20) {
            let zeros = vec![0; 1 << 20];
            let until = self.zeroed_until + AHEAD;
            while self.zeroed_until < until {
                self.file.write_all_at(&zeros, self.zeroed_until)?;
                self.zeroed_until += zeros.len() as u64;
            }
            self.file.sync_all()?;
        }
        Ok(())
    }
}
