//! Cutting the end of a log off on purpose: replication will void what a deposed writer wrote.
//!
//! The position is first recorded in the manifest, durably. From then on evidence beyond it is void, and an interrupted
//! truncation is finished by the next opening. Then later segments are removed, newest first, the segment that
//! holds the position is replaced by one with zeros from there on, and a new life begins. A file is never shortened.

use super::batch_source::{BatchSource, NotABatch, Window};
use super::error::OpenError;
use super::files::{LOCK, MANIFESTS, appear};
use super::manifest::Manifest;
use super::recovery::{SegmentFile, Stop, TailScan, read_segment_files};
use super::spare::fill_with_zeros;
use crate::disk::{Access, Disk, DiskFile};
use gesta_model::Position;
use gesta_model::codec::HEADER_PAGE_BYTES;
use std::io;
use thiserror::Error;

/// Why a log was not truncated; nothing was changed.
#[derive(Debug, Error)]
pub enum TruncateError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The position is inside a batch, which is all or nothing.
    #[error("position {asked} lies inside a batch, which ends at {end}: truncate at the end of a batch")]
    InsideABatch {
        /// The position asked for.
        asked: Position,
        /// Where the batch ends.
        end: Position,
    },
    /// The log cannot be followed up to the position.
    #[error("the log can be followed up to position {reached} only, not to {asked}: {what}")]
    NotReached {
        /// The position asked for.
        asked: Position,
        /// Where the log ends, or is damaged.
        reached: Position,
        /// Why.
        what: String,
    },
}

/// Cuts off every event from `position` on, in a store that nobody has open for writing.
pub fn truncate_after<D: Disk>(disk: &D, position: Position) -> Result<(), TruncateError> {
    let lock = disk.lock(LOCK).map_err(OpenError::io(disk.describe(LOCK), "cannot lock the store"))?;
    let _lock = lock.ok_or_else(|| OpenError::Locked { path: disk.describe(LOCK) })?;
    let manifest = Manifest::load(disk)?;
    let mut manifest = manifest.ok_or_else(|| OpenError::NotFound { path: disk.describe("") })?;
    finish_truncation(disk, &mut manifest)?;
    cut_offset(disk, &manifest, position)?;
    manifest.truncate_at = Some(position);
    manifest.store(disk).map_err(OpenError::io(disk.describe(MANIFESTS[0]), "cannot write the manifest"))?;
    finish_truncation(disk, &mut manifest)?;
    Ok(())
}

/// Finishes a truncation that the manifest speaks of, if there is one. Doing so twice is the same as once.
pub(super) fn finish_truncation<D: Disk>(disk: &D, manifest: &mut Manifest) -> Result<(), OpenError> {
    let Some(position) = manifest.truncate_at else { return Ok(()) };
    let (files, cut) = match cut_offset(disk, manifest, position) {
        Ok(cut) => cut,
        Err(TruncateError::Open(error)) => return Err(error),
        Err(error) => {
            let what = format!("a truncation to position {position} cannot be finished: {error}");
            return Err(OpenError::Foreign { path: disk.describe(""), what });
        }
    };
    let kept = cut.map_or(0, |(ordinal, _)| ordinal + 1);
    for file in files[kept..].iter().rev() {
        disk.remove(&file.name).map_err(OpenError::io(file.path.clone(), "cannot remove the segment"))?;
    }
    disk.sync_dir().map_err(OpenError::io(disk.describe(""), "cannot sync the directory"))?;
    if let Some((ordinal, offset)) = cut {
        let file = &files[ordinal];
        replace_end(disk, file, offset)
            .map_err(OpenError::io(file.path.clone(), "cannot replace the end of the segment"))?;
    }
    manifest.begin_life(position, true);
    manifest.store(disk).map_err(OpenError::io(disk.describe(MANIFESTS[0]), "cannot write the manifest"))
}

/// Replaces a segment file by one that ends at `offset`. It is not written over: the file may be a backup's as well.
fn replace_end<D: Disk>(disk: &D, segment: &SegmentFile<D>, offset: u64) -> io::Result<()> {
    const PIECE: u64 = 1 << 20;
    appear(disk, &segment.name, |file| {
        file.allocate(segment.length)?;
        let (mut at, mut piece) = (0, Vec::new());
        while at < offset {
            let length = PIECE.min(offset - at);
            piece.resize(usize::try_from(length).expect("a piece is small"), 0);
            segment.file.read_at(&mut piece, at)?;
            file.write_at(&piece, at)?;
            at += length;
        }
        fill_with_zeros(file, offset, segment.length)
    })?;
    Ok(())
}

/// All segment files, and where the cut is: in which of them, and from which offset on. No cut: nothing is kept.
type Cut<D> = (Vec<SegmentFile<D>>, Option<(usize, u64)>);

fn cut_offset<D: Disk>(disk: &D, manifest: &Manifest, position: Position) -> Result<Cut<D>, TruncateError> {
    let files = read_segment_files(disk, manifest, Access::Write)?;
    let holds = |file: &SegmentFile<D>| file.header.is_ok_and(|header| header.base < position);
    let Some(ordinal) = files.iter().rposition(holds) else {
        return match position {
            Position::START => Ok((files, None)),
            asked => {
                let what = "no segment begins before it".to_owned();
                Err(TruncateError::NotReached { asked, reached: Position::START, what })
            }
        };
    };
    let file = &files[ordinal];
    let header = file.header.expect("the segment was chosen by its header");
    let window = Window::new(&file.file).map_err(OpenError::io(file.path.clone(), "cannot read the segment"))?;
    let mut source = BatchSource::new(window, &manifest.origin);
    let mut scan = TailScan::new(&header);
    let stop = scan.advance(&mut source, position, |_, _| {});
    if scan.position > position {
        return Err(TruncateError::InsideABatch { asked: position, end: scan.position });
    }
    let what = match stop {
        None => {
            debug_assert!(scan.offset >= HEADER_PAGE_BYTES as u64);
            return Ok((files, Some((ordinal, scan.offset))));
        }
        Some(Stop::NotABatch(NotABatch::Invalid(what))) => what,
        Some(Stop::Sealed | Stop::NotABatch(NotABatch::Unwritten)) => "the log ends there".to_owned(),
    };
    Err(TruncateError::NotReached { asked: position, reached: scan.position, what })
}
