//! The bytes of an open index file, each block checked the first time it is looked at.
//!
//! A block is 4 KiB; block 0 is the header page. The section `checks` holds the CRC-32 of every other block in front of
//! it, and the header page holds the CRC-32 of that section. So opening costs the same for any file, and damage is found
//! before it is believed.
//!
//! The check reads with the disk's own call and only then hands out the bytes in place: where a device fails, it is an
//! error and not a signal. What is checked is not checked again, so a file of which the disk has lost a page since is
//! believed no more.

use super::bytes::read_u32;
use super::header::{HEADER_PAGE_BYTES, Header};
use super::rejected::Damaged;
use super::section::{Section, SectionName};
use crate::disk::{Disk, DiskFile};
use crate::sabotage::{Bug, has};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::ops::Range;

/// Bytes that share a check.
pub(crate) const BLOCK_BYTES: u64 = BLOCK as u64;
/// The same, where memory is counted.
pub(super) const BLOCK: usize = 4096;
const _: () = assert!(HEADER_PAGE_BYTES == BLOCK);

const OUTSIDE: Damaged = Damaged("a place in it lies outside");
const UNREADABLE: Damaged = Damaged("a block of it cannot be read");

/// A file whose header page was believed.
pub(super) struct Blocks<D: Disk> {
    file: D::File,
    view: <D::File as DiskFile>::View,
    checks: Section,
    checks_crc: u32,
    /// Whether the checks themselves were found whole.
    ///
    /// Relaxed here and below: the bits publish nothing, for the bytes never change; two threads may check the same.
    are_checks_whole: AtomicBool,
    /// One bit a block: found whole.
    whole: Box<[AtomicU64]>,
}

impl<D: Disk> Blocks<D> {
    /// `view` shows the whole file, and `header` is of that file and valid.
    pub(super) fn new(file: D::File, view: <D::File as DiskFile>::View, header: &Header) -> Self {
        let checks = header.sections.of(SectionName::Checks);
        assert_eq!(checks.offset + checks.length, view.len() as u64, "the view shows the whole file");
        let words = index(checks.offset / BLOCK_BYTES).div_ceil(64);
        let whole = (0..words).map(|_| AtomicU64::new(0)).collect();
        Self { file, view, checks, checks_crc: header.checks_crc, are_checks_whole: AtomicBool::new(false), whole }
    }

    /// Bytes of the file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.checks.offset + self.checks.length
    }

    /// A range of the sections, in place.
    #[inline]
    pub(super) fn bytes(&self, range: Range<u64>) -> Result<&[u8], Damaged> {
        if range.start < BLOCK_BYTES || range.start > range.end || range.end > self.checks.offset {
            return Err(OUTSIDE);
        }
        self.require_every_page()?;
        for block in range.start / BLOCK_BYTES..range.end.div_ceil(BLOCK_BYTES) {
            if !self.is_whole(block) {
                self.check(block)?;
            }
        }
        Ok(&self.view[index(range.start)..index(range.end)])
    }

    /// Refuses a file of which the disk has lost a page. Asked once more after a look, it covers that look.
    #[inline]
    pub(super) fn require_every_page(&self) -> Result<(), Damaged> {
        if self.file.lost_pages() == 0 { Ok(()) } else { Err(UNREADABLE) }
    }

    /// A range of one section, counted from its start.
    #[inline]
    pub(super) fn within(&self, section: Section, range: Range<u64>) -> Result<&[u8], Damaged> {
        if range.start > range.end || range.end > section.length {
            return Err(OUTSIDE);
        }
        self.bytes(section.offset + range.start..section.offset + range.end)
    }

    /// How many blocks have a checksum, the header page counted.
    pub(super) fn count(&self) -> u64 {
        self.checks.offset / BLOCK_BYTES
    }

    /// Checks blocks anew, with the disk's own call; of the header page only the caller knows what it should be.
    pub(super) fn check_some(&self, blocks: Range<u64>) -> Result<(), Damaged> {
        if blocks.start == 0 {
            self.check_checks()?;
        }
        (blocks.start.max(1)..blocks.end.min(self.count())).try_for_each(|block| self.check(block))
    }

    /// The header page as the disk has it now.
    pub(super) fn header_page(&self) -> Result<[u8; HEADER_PAGE_BYTES], Damaged> {
        let mut page = [0; HEADER_PAGE_BYTES];
        self.file.read_at(&mut page, 0).map_err(|_| UNREADABLE)?;
        Ok(page)
    }

    /// Lets go of what the system keeps in memory of the file and nobody looks at in place.
    pub(super) fn drop_cache(&self) {
        // A hint that is not taken costs memory.
        let _ = self.file.drop_cache();
    }

    #[inline]
    fn is_whole(&self, block: u64) -> bool {
        self.whole[index(block / 64)].load(Ordering::Relaxed) & (1 << (block % 64)) != 0
    }

    #[cold]
    fn check(&self, block: u64) -> Result<(), Damaged> {
        if !self.are_checks_whole.load(Ordering::Relaxed) {
            self.check_checks()?;
        }
        let mut bytes = [0; BLOCK];
        self.file.read_at(&mut bytes, block * BLOCK_BYTES).map_err(|_| UNREADABLE)?;
        let stated = read_u32(&self.view, index(self.checks.offset + (block - 1) * 4));
        if crc32fast::hash(&bytes) != stated && !has(Bug::NoIndexCheck) {
            return Err(Damaged("the checksum of a block of it does not match"));
        }
        self.whole[index(block / 64)].fetch_or(1 << (block % 64), Ordering::Relaxed);
        Ok(())
    }

    fn check_checks(&self) -> Result<(), Damaged> {
        let mut hasher = crc32fast::Hasher::new();
        let mut bytes = [0; BLOCK];
        let (mut at, end) = (self.checks.offset, self.file_bytes());
        while at < end {
            let part = &mut bytes[..index((end - at).min(BLOCK_BYTES))];
            self.file.read_at(part, at).map_err(|_| UNREADABLE)?;
            hasher.update(part);
            at += part.len() as u64;
        }
        if hasher.finalize() != self.checks_crc {
            return Err(Damaged("the checksum of its checksums does not match"));
        }
        self.are_checks_whole.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// An offset in a file that is mapped.
fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("a mapped file is no longer than memory can be")
}
