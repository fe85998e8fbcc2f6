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
    until: Position,
    /// Where it stands: whoever keeps this can go on later, through other eyes.
    pub(crate) at: Stand,
}

/// Where a walk stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    pub(crate) offset: u64,
    pub(crate) position: Position,
    chain: Option<u64>,
    /// The batch that was passed last, if nothing was skipped since.
    last: Option<Found>,
    /// The segment's seal was passed: nothing follows in this file.
    is_sealed: bool,
    /// Bytes of bodies that turned out not to be what their headers say. Once they are more than the segment, the rest of it
    /// is lost: a segment full of such headers costs no more than a second look at it.
    doubted_bytes: u64,
    /// Bytes that were looked through beyond a whole batch, for an earlier one. Once they are as many as the segment has, the
    /// first whole batch is believed.
    bytes_beyond: u64,
}

impl Stand {
    /// Where the batch of `position` begins; a segment's first one follows its header page.
    pub(crate) fn before((offset, position): (u64, Position)) -> Self {
        debug_assert!(offset >= HEADER_PAGE_BYTES as u64);
        Self { offset, position, chain: None, last: None, is_sealed: false, doubted_bytes: 0, bytes_beyond: 0 }
    }
}

impl<'k, B: Bytes> SegmentWalk<'k, B> {
    /// A walk from `offset`, where the batch of `position` begins; a segment's first one follows its header page.
    pub(crate) fn new(bytes: B, origin: &'k Origin, path: &str, start: (u64, Position), until: Position) -> Self {
        Self::going_on(bytes, origin, path, Stand::before(start), until)
    }

    /// A walk that goes on from where an earlier one over the same segment stood.
    pub(crate) fn going_on(bytes: B, origin: &'k Origin, path: &str, at: Stand, until: Position) -> Self {
        Self { source: BatchSource::new(bytes, origin), path: path.to_owned(), until, at }
    }

    /// The next batch or damage; `None` when every position before the end was accounted for.
    pub(crate) fn next(&mut self) -> Option<Step> {
        if self.at.position >= self.until {
            return None;
        }
        if self.at.is_sealed {
            return Some(Step::Damage(self.missing_segment()));
        }
        self.pass_unwritten_mark();
        let what = match self.source.batch_at(self.at.offset) {
            Ok(found) if found.header.base != self.at.position => "a batch of another place stands here".to_owned(),
            Ok(found)
                if self.at.chain.is_some_and(|chain| chain != found.header.previous) && !has(Bug::NoChainCheck) =>
            {
                "the batch does not continue the one before it: a write was lost, or is stale".to_owned()
            }
            Ok(found) => {
                self.at.offset = found.end_offset();
                self.at.position = found.header.end();
                self.at.chain = Some(found.check);
                self.at.last = Some(found);
                self.at.is_sealed = found.header.kind == BatchKind::Seal;
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

    /// Passes zeros that no event is missing from: a mark may be lost in a power cut, and the log went on after it. Whole it
    /// must go on: headers alone may stand in the wrong place.
    fn pass_unwritten_mark(&mut self) {
        if !matches!(self.source.batch_at(self.at.offset), Err(NotABatch::Unwritten)) {
            return;
        }
        let position = self.at.position;
        let ahead = self.source.look_ahead(self.at.offset, u64::MAX, |found| found.header.base >= position);
        if let Some(found) = ahead.found
            && found.header.base == position
            && ahead.nonzero_end.is_none()
            && !ahead.unreadable
            && self.source.verified_body(&found).is_ok()
        {
            self.at.offset = found.offset;
            self.at.chain = None;
        }
    }

    /// What the seal says is in a file that is not there.
    fn missing_segment(&mut self) -> Damage {
        let positions = self.at.position..self.until;
        self.at.position = self.until;
        let what = "the segment file after this one is missing or empty".to_owned();
        Damage { file: self.path.clone(), offset: self.at.offset, positions, what }
    }

    /// Goes on at the next whole batch that can follow, and names what lies between.
    fn skip(&mut self, what: String) -> Damage {
        let (offset, position) = (self.at.offset, self.at.position);
        let from = self.search_start();
        let resumed = self.next_whole_batch(from);
        (self.at.chain, self.at.last) = (None, None);
        self.at.position = resumed.map_or(self.until, |found| found.header.base);
        self.at.offset = resumed.map_or(self.source.bytes.length(), |found| found.offset);
        Damage { file: self.path.clone(), offset, positions: position..self.at.position, what }
    }

    /// Where to look for the next batch. If the last one is not whole, its headers may have stood in the wrong place and have led
    /// into another batch.
    fn search_start(&mut self) -> u64 {
        match self.at.last {
            Some(last) if self.source.verified_body(&last).is_err() => {
                self.at.doubted_bytes += u64::from(last.header.body_bytes);
                last.offset + 8
            }
            _ => self.at.offset + 8,
        }
    }

    /// The next batch that can follow. Headers may be true and stand in the wrong place, where their length leads astray: only
    /// a whole batch says where the one after it begins. And a whole batch may be a copy of a later one: only if another
    /// continues it, it is believed at once. Otherwise it has to be the first in the log's order of all that follow here.
    fn next_whole_batch(&mut self, mut from: u64) -> Option<Found> {
        let (position, until, length) = (self.at.position, self.until, self.source.bytes.length());
        let mut first: Option<Found> = None;
        loop {
            let to = first.map_or(length, |_| length.min(from + length.saturating_sub(self.at.bytes_beyond)));
            let may_follow = |found: &Found| {
                let base = found.header.base;
                let is_earlier = first.map_or(base <= until, |first| base < first.header.base);
                base >= position && is_earlier && found.end_offset() <= length
            };
            let found = self.source.look_ahead(from, to, may_follow).found;
            let is_whole = found.is_some_and(|found| self.source.verified_body(&found).is_ok());
            let looked_to = found.map_or(to, |found| if is_whole { found.end_offset() } else { found.offset + 8 });
            if first.is_some() {
                self.at.bytes_beyond += looked_to.saturating_sub(from);
            }
            from = looked_to;
            let Some(found) = found else { return first };
            if !is_whole {
                self.at.doubted_bytes += u64::from(found.header.body_bytes);
                if self.at.doubted_bytes > length {
                    return first;
                }
            } else if self.is_continued(&found) {
                return Some(found);
            } else {
                first = Some(found);
            }
        }
    }

    fn is_continued(&mut self, found: &Found) -> bool {
        self.source.batch_at(found.end_offset()).is_ok_and(|next| next.header.previous == found.check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta_model::codec::{BatchHeader, HEADERS_BYTES, StoreKey};
    use gesta_model::{Incarnation, Timestamp};
    use std::io;

    const KEY: StoreKey = StoreKey([7; 16]);

    /// Bytes in memory that count how many of them were asked for as bodies.
    struct Counted {
        bytes: Vec<u8>,
        body_bytes: usize,
        body_bytes_read: u64,
    }

    impl Bytes for Counted {
        fn length(&self) -> u64 {
            self.bytes.as_slice().length()
        }

        fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
            if length == self.body_bytes {
                self.body_bytes_read += length as u64;
            }
            let start = usize::try_from(offset).unwrap();
            self.bytes.get(start..start + length).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// The headers of one batch, again and again: verifying each of them would take a time that grows with the square.
    #[test]
    fn headers_without_bodies_cost_a_few_looks_at_the_segment() {
        let body_bytes = 100_000;
        let header = BatchHeader {
            previous: 1,
            durable: Position(0),
            incarnation: Incarnation(1),
            base: Position(10),
            reign: 0,
            index: 0,
            recorded_at: Timestamp(0),
            count: 1,
            body_bytes,
            body_crc: 1,
            kind: BatchKind::Events,
            flags: 0,
        };
        let mut headers = [0; HEADERS_BYTES];
        header.encode(&KEY, &mut headers);
        let mut bytes = vec![0xff; HEADER_PAGE_BYTES];
        bytes.extend(headers.repeat(5_000));
        let length = bytes.len() as u64;
        let origin = Origin { key: KEY, lives: Vec::new() };
        let start = (HEADER_PAGE_BYTES as u64, Position(0));
        let counted = Counted { bytes, body_bytes: body_bytes as usize, body_bytes_read: 0 };
        let mut walk = SegmentWalk::new(counted, &origin, "a segment", start, Position(100));
        let mut lost = 0;
        while let Some(step) = walk.next() {
            lost += match step {
                Step::Batch(found) => u64::from(found.header.count),
                Step::Damage(damage) => damage.positions.end.since(damage.positions.start),
            };
        }
        assert_eq!(lost, 100, "every position is accounted for");
        let read = walk.source.bytes.body_bytes_read;
        assert!((length..2 * length).contains(&read), "{read} of {length}");
    }
}
