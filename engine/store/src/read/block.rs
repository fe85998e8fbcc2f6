//! The batches of a stretch of one segment, found by their headers; bodies are verified when they are read.

use crate::disk::{Disk, DiskFile};
use crate::log::{BatchSource, Bytes, Found, Log, NotABatch, Origin, Segment, SegmentWalk, Step, Window};
use gesta_model::{Damage, Position};
use std::io;
use std::sync::Arc;

/// A stretch of a segment.
pub(super) struct Block<D: Disk> {
    pub(super) view: <D::File as DiskFile>::View,
    pub(super) segment: Arc<Segment<D>>,
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
        segment: &Arc<Segment<D>>,
        start: (u64, Position),
        until: Position,
        bytes: u64,
        takes_all: bool,
    ) -> io::Result<Self> {
        let view = segment.view()?;
        let bytes = if takes_all { u64::MAX } else { bytes };
        let walk = SegmentWalk::new(view.clone(), &log.origin, &segment.path, start, until);
        let (mut entries, mut next) = collect(walk, bytes);
        if segment.file.lost_pages() > 0 {
            // The disk's own call says which bytes it cannot bring, and why.
            let window = Window::new(&segment.file)?;
            (entries, next) = collect(SegmentWalk::new(window, &log.origin, &segment.path, start, until), bytes);
        }
        Ok(Self { segment: Arc::clone(segment), entries, next, view })
    }
}

impl<D: Disk> Block<D> {
    /// Why the body of a batch is not what was written; where the disk has lost pages, in its own words.
    pub(super) fn why_unreadable(&self, origin: &Origin, found: &Found, why: NotABatch) -> NotABatch {
        if self.segment.file.lost_pages() == 0 {
            return why;
        }
        let window = Window::new(&self.segment.file);
        let told = window.ok().and_then(|window| BatchSource::new(window, origin).verified_body(found).err());
        told.unwrap_or(why)
    }
}

/// What a walk comes by, up to about so many bytes, and where it goes on.
fn collect<B: Bytes>(mut walk: SegmentWalk<'_, B>, bytes: u64) -> (Vec<Entry>, (u64, Position)) {
    let (start, mut entries) = (walk.at.offset, Vec::new());
    // A file that was cut ends before the start.
    while walk.at.offset.saturating_sub(start) < bytes {
        match walk.next() {
            None => break,
            Some(Step::Batch(found)) if found.header.count > 0 => entries.push(Entry::Batch(found)),
            Some(Step::Damage(damage)) if !damage.positions.is_empty() => entries.push(Entry::Damage(damage)),
            Some(Step::Batch(_) | Step::Damage(_)) => {}
        }
    }
    (entries, (walk.at.offset, walk.at.position))
}
