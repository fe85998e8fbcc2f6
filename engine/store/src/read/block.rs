//! The batches of a stretch of one segment, found by their headers; bodies are verified when they are read.

use crate::disk::{Disk, DiskFile};
use crate::log::{Found, Log, Segment, SegmentWalk, Step};
use gesta_model::{Damage, Position};
use std::io;

/// A stretch of a segment.
pub(super) struct Block<D: Disk> {
    pub(super) view: <D::File as DiskFile>::View,
    pub(super) path: String,
    /// In the order of the log.
    pub(super) entries: Vec<Entry>,
    /// Where the next stretch begins.
    pub(super) next: (u64, Position),
}

/// What a block holds.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A batch with events.
    Batch(Found),
    /// Damage, with the positions that are lost by it.
    Damage(Damage),
}

impl<D: Disk> Block<D> {
    /// The batches from `start` on that begin before `until`, all of them or up to about `bytes`.
    pub(super) fn load(
        log: &Log<D>,
        segment: &Segment<D>,
        start: (u64, Position),
        until: Position,
        bytes: u64,
        takes_all: bool,
    ) -> io::Result<Self> {
        let view = segment.view()?;
        let mut entries = Vec::new();
        let mut walk = SegmentWalk::new(view.clone(), &log.origin, &segment.path, start, until);
        while takes_all || walk.offset - start.0 < bytes {
            match walk.next() {
                None => break,
                Some(Step::Batch(found)) if found.header.count > 0 => entries.push(Entry::Batch(found)),
                Some(Step::Damage(damage)) if !damage.positions.is_empty() => entries.push(Entry::Damage(damage)),
                Some(Step::Batch(_) | Step::Damage(_)) => {}
            }
        }
        let next = (walk.offset, walk.position);
        Ok(Self { path: segment.path.clone(), entries, next, view })
    }
}
