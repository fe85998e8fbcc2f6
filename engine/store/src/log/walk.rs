//! The batches of one segment in order, over damage: what is damaged is named and skipped, never passed over in silence.

use super::batch_source::{BatchSource, Bytes, Found, NotABatch};
use super::origin::Origin;
use crate::sabotage::{Bug, has};
use gesta_model::codec::{BatchKind, HEADER_PAGE_BYTES};
use gesta_model::{Damage, Position};

/// What a walk comes upon.
#[derive(Debug)]
pub(crate) enum Step {
    /// A batch whose headers are true; its body is not verified yet.
    Batch(Found),
    /// Bytes that are not what was written there.
    Damage(Damage),
}

/// A walk over the batches that begin before a position.
pub(crate) struct SegmentWalk<'k, B> {
    pub(crate) source: BatchSource<'k, B>,
    path: String,
    pub(crate) offset: u64,
    pub(crate) position: Position,
    chain: Option<u64>,
    until: Position,
    /// The segment's seal was passed: nothing follows in this file.
    is_sealed: bool,
}

impl<'k, B: Bytes> SegmentWalk<'k, B> {
    /// A walk from `offset`, where the batch of `position` begins; a segment's first one follows its header page.
    pub(crate) fn new(
        bytes: B,
        origin: &'k Origin,
        path: &str,
        (offset, position): (u64, Position),
        until: Position,
    ) -> Self {
        debug_assert!(offset >= HEADER_PAGE_BYTES as u64);
        Self {
            source: BatchSource::new(bytes, origin),
            path: path.to_owned(),
            offset,
            position,
            chain: None,
            until,
            is_sealed: false,
        }
    }

    /// The next batch or damage; `None` when every position before the end was accounted for.
    pub(crate) fn next(&mut self) -> Option<Step> {
        if self.position >= self.until {
            return None;
        }
        if self.is_sealed {
            return Some(Step::Damage(self.missing_segment()));
        }
        self.pass_unwritten_mark();
        let what = match self.source.batch_at(self.offset) {
            Ok(found) if found.header.base != self.position => "a batch of another place stands here".to_owned(),
            Ok(found) if self.chain.is_some_and(|chain| chain != found.header.previous) && !has(Bug::NoChainCheck) => {
                "the batch does not continue the one before it: a write was lost, or is stale".to_owned()
            }
            Ok(found) => {
                self.offset = found.end_offset();
                self.position = found.header.end();
                self.chain = Some(found.check);
                self.is_sealed = found.header.kind == BatchKind::Seal;
                return Some(Step::Batch(found));
            }
            Err(NotABatch::Invalid(what)) => what,
            Err(NotABatch::Unwritten) => "nothing was written where a batch should be".to_owned(),
        };
        Some(Step::Damage(self.skip(what)))
    }

    /// The damage that a batch's body is.
    pub(crate) fn damaged_body(&self, found: &Found, why: NotABatch) -> Damage {
        let what = why.to_string();
        Damage { file: self.path.clone(), offset: found.offset, positions: found.header.positions(), what }
    }

    /// Passes zeros that no event is missing from: a mark may be lost in a power cut, and the log went on after it.
    fn pass_unwritten_mark(&mut self) {
        if !matches!(self.source.batch_at(self.offset), Err(NotABatch::Unwritten)) {
            return;
        }
        let position = self.position;
        let ahead = self.source.look_ahead(self.offset, u64::MAX, |found| found.header.base >= position);
        if let Some(found) = ahead.found
            && found.header.base == position
            && ahead.nonzero_end.is_none()
            && !ahead.unreadable
        {
            self.offset = found.offset;
            self.chain = None;
        }
    }

    /// What the seal says is in a file that is not there.
    fn missing_segment(&mut self) -> Damage {
        let positions = self.position..self.until;
        self.position = self.until;
        let what = "the segment file after this one is missing or empty".to_owned();
        Damage { file: self.path.clone(), offset: self.offset, positions, what }
    }

    /// Goes on at the next batch that can follow, and names what lies between.
    fn skip(&mut self, what: String) -> Damage {
        let (offset, position) = (self.offset, self.position);
        let length = self.source.bytes.length();
        let ahead = self.source.look_ahead(offset + 8, length, |found| found.header.base >= position);
        let resumed = ahead.found.filter(|found| found.header.base <= self.until);
        self.chain = None;
        self.position = resumed.map_or(self.until, |found| found.header.base);
        self.offset = resumed.map_or(length, |found| found.offset);
        Damage { file: self.path.clone(), offset, positions: position..self.position, what }
    }
}
