//! Reading every byte of one segment to see whether it is what was written, a stretch at a time.

use super::batch_source::{Bytes, Found, NotABatch};
use super::segment::Segment;
use super::shared::Log;
use super::walk::{SegmentWalk, Stand, Step};
use crate::disk::Disk;
use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentHeader, verify_records};
use gesta_model::{Damage, Position};
use std::ops::ControlFlow;

/// What a check comes upon.
#[derive(Debug)]
pub(crate) enum Checked<'b> {
    /// A whole batch, with its body.
    Batch(&'b Found, &'b [u8]),
    /// Bytes that are not what was written there.
    Damage(Damage),
}

/// The check of one segment, as far as it has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentCheck {
    at: Stand,
    /// Where the segment's positions end.
    end: Position,
    /// Each event's place and names are checked as well.
    deep: bool,
}

impl SegmentCheck {
    /// The check of a segment whose positions end at `end`.
    pub(crate) fn new<D: Disk>(segment: &Segment<D>, end: Position, deep: bool) -> Self {
        Self { at: Stand::before((HEADER_PAGE_BYTES as u64, segment.base)), end, deep }
    }

    /// Reads on, about `stretch` bytes far or until it is told to stop, and tells what it comes upon, with the offset that it has
    /// come to. Hands back the bytes, and whether that was the end.
    pub(crate) fn read_on<D: Disk, B: Bytes>(
        &mut self,
        log: &Log<D>,
        segment: &Segment<D>,
        mut bytes: B,
        stretch: u64,
        tell: &mut dyn FnMut(Checked<'_>, u64) -> ControlFlow<()>,
    ) -> (B, bool) {
        let start = self.at.offset;
        let mut flow = ControlFlow::Continue(());
        if start == HEADER_PAGE_BYTES as u64
            && let Some(what) = damage_of_header(&mut bytes)
        {
            let (positions, what) = (segment.base..segment.base, what.to_owned());
            flow = tell(Checked::Damage(Damage { file: segment.path.clone(), offset: 0, positions, what }), start);
        }
        let mut walk = SegmentWalk::going_on(bytes, &log.origin, &segment.path, self.at, self.end);
        let mut is_over = false;
        // A file that was cut ends before the start.
        while flow.is_continue() && walk.at.offset.saturating_sub(start) < stretch {
            let Some(step) = walk.next() else {
                is_over = true;
                break;
            };
            flow = match step {
                Step::Damage(damage) => tell(Checked::Damage(damage), walk.at.offset),
                Step::Batch(found) => {
                    let body = walk.source.verified_body(&found);
                    match body.and_then(|body| self.look_into(&found, body).map(|()| body)) {
                        Ok(body) => tell(Checked::Batch(&found, body), walk.at.offset),
                        Err(why) => tell(Checked::Damage(walk.damaged_body(&found, why)), walk.at.offset),
                    }
                }
            };
        }
        self.at = walk.at;
        (walk.source.bytes, is_over)
    }

    /// What of the segment was not checked, as damage: its file cannot be read at all.
    pub(crate) fn unreadable<D: Disk>(&self, segment: &Segment<D>) -> Damage {
        let (positions, what) = (self.at.position..self.end, "the file cannot be read".to_owned());
        Damage { file: segment.path.clone(), offset: 0, positions, what }
    }

    fn look_into(&self, found: &Found, body: &[u8]) -> Result<(), NotABatch> {
        if !self.deep || found.header.count == 0 {
            return Ok(());
        }
        verify_records(&found.header, body).map_err(|what| NotABatch::Invalid(what.to_string()))
    }
}

/// What is wrong with the header page, if it is not exactly what its valid copy says.
fn damage_of_header(bytes: &mut impl Bytes) -> Option<&'static str> {
    let page = bytes.bytes(0, HEADER_PAGE_BYTES).ok().and_then(|bytes| bytes.first_chunk::<HEADER_PAGE_BYTES>());
    match page.map(SegmentHeader::decode) {
        Some(Ok(header)) if page.is_some_and(|page| header.encode() == *page) => None,
        Some(Ok(_)) => Some("one of the two copies of the segment's header is damaged"),
        Some(Err(_)) => Some("both copies of the segment's header are damaged"),
        None => Some("the segment's header cannot be read"),
    }
}
