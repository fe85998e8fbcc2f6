//! Writing one section: in large writes, block by block checked.

use super::blocks::{BLOCK, BLOCK_BYTES};
use super::section::Section;
use crate::disk::DiskFile;
use std::io;

/// Bytes of one write.
const BUFFER_BYTES: usize = 64 * BLOCK;

/// A section that is being written; it begins at a block.
pub(super) struct SectionWriter<'f, F: DiskFile> {
    file: &'f F,
    section: Section,
    buffer: Vec<u8>,
    checks: Vec<u32>,
}

impl<'f, F: DiskFile> SectionWriter<'f, F> {
    pub(super) fn new(file: &'f F, offset: u64) -> Self {
        assert!(offset.is_multiple_of(BLOCK_BYTES), "a section begins at a block");
        Self { file, section: Section { offset, length: 0 }, buffer: Vec::new(), checks: Vec::new() }
    }

    /// How many bytes there are so far.
    pub(super) fn length(&self) -> u64 {
        self.section.length
    }

    pub(super) fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BUFFER_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            self.section.length += now.len() as u64;
            if self.buffer.len() == BUFFER_BYTES {
                self.flush()?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Fills the last block with zeros; the section and the checks of its blocks.
    pub(super) fn finish(mut self) -> io::Result<(Section, Vec<u32>)> {
        self.buffer.resize(self.buffer.len().next_multiple_of(BLOCK), 0);
        self.flush()?;
        Ok((self.section, self.checks))
    }

    /// The buffer holds whole blocks, and the ones before it were written.
    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let offset = self.section.offset + self.checks.len() as u64 * BLOCK_BYTES;
        self.file.write_at(&self.buffer, offset)?;
        self.checks.extend(self.buffer.chunks_exact(BLOCK).map(crc32fast::hash));
        self.buffer.clear();
        Ok(())
    }
}
