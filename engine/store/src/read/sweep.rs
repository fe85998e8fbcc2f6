//! Every event of a stretch of the log, batch by batch: what a full replay is made of.

use super::block::{Block, Entry};
use super::reader::Library;
use crate::disk::{Disk, DiskFile};
use crate::log::{BatchSource, Found, Segment};
use gesta_model::codec::{
    BodyError, HEADER_PAGE_BYTES, HEADERS_BYTES, PORTABLE_BYTES, Record, RecordWalk, verify_body,
};
use gesta_model::{Damage, Position, ReadError, Timestamp};
use std::ops::Range;
use std::sync::Arc;

/// A walk over all events between two positions, in either direction.
pub(super) struct Sweep<D: Disk> {
    library: Arc<Library<D>>,
    is_backward: bool,
    /// The positions still to be read, half-open; shrinks from the end that is read.
    next: Position,
    end: Position,
    block: Option<Block<D>>,
    /// The entries of the block still to be read.
    entries: Range<usize>,
    batch: Option<OpenBatch>,
    resume: Option<(u64, (u64, Position))>,
}

/// A verified batch that is being read.
struct OpenBatch {
    found: Found,
    /// Pages of the segment that were lost before it was verified.
    lost_pages: u64,
    walk: RecordWalk,
    /// Backward: the places of the records still to be read.
    places: Vec<RecordWalk>,
}

impl OpenBatch {
    /// Verifies the batch once more if the disk has lost pages of the segment since.
    #[inline]
    fn verify_anew<D: Disk>(&mut self, block: &Block<D>) -> Result<(), BodyError> {
        let lost_pages = block.segment.file.lost_pages();
        if lost_pages != self.lost_pages {
            verify_body(&self.found.header, body_of(block, &self.found))?;
            self.lost_pages = lost_pages;
        }
        Ok(())
    }
}

/// How many bytes of batches are looked up at a time.
const BLOCK_BYTES: u64 = 256 << 10;

impl<D: Disk> Sweep<D> {
    pub(super) fn new(library: Arc<Library<D>>, positions: Range<Position>, is_backward: bool) -> Self {
        let (next, end) = (positions.start.min(positions.end), positions.end);
        Self { library, is_backward, next, end, block: None, entries: 0..0, batch: None, resume: None }
    }

    /// The positions still to be read.
    pub(super) fn remaining_positions(&self) -> Range<Position> {
        self.next..self.end
    }

    /// When the store took the event that was read last.
    pub(super) fn recorded_at(&self) -> Option<Timestamp> {
        self.batch.as_ref().map(|batch| batch.found.header.recorded_at)
    }

    /// Reads on to a later end, from a position on; all up to the end so far has been read, forward.
    pub(super) fn extend(&mut self, positions: &Range<Position>) {
        self.next = self.next.max(positions.start).min(positions.end);
        self.end = positions.end;
    }

    /// Stands before the next record; `false` when there is none.
    #[inline]
    pub(super) fn advance(&mut self) -> Result<bool, ReadError> {
        while !self.stands_before_record()? {
            self.batch = None;
            if !self.open_next_batch()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Stands before the next record that is wanted, forward; `false` when there is none.
    pub(super) fn advance_to(&mut self, is_wanted: impl Fn(&Record<'_>) -> bool) -> Result<bool, ReadError> {
        debug_assert!(!self.is_backward);
        while self.advance()? {
            let (Some(block), Some(batch)) = (&self.block, &mut self.batch) else {
                unreachable!("advance stands in a batch")
            };
            let mut walk = batch.walk;
            match walk.next(body_of(block, &batch.found)) {
                Some(Ok(record)) if !is_wanted(&record) && batch.verify_anew(block).is_ok() => {
                    batch.walk = walk;
                    self.next = walk.position();
                }
                // It is wanted, or is not what it should be, which is told when it is taken.
                _ => return Ok(true),
            }
        }
        Ok(false)
    }

    /// The record that [`Sweep::advance`] stands before.
    #[inline]
    pub(super) fn take(&mut self) -> Result<Record<'_>, ReadError> {
        let Self { block, batch, next, end, is_backward, .. } = self;
        let (Some(block), Some(open)) = (&*block, batch.as_mut()) else { unreachable!("advance stands in a batch") };
        let body = body_of(block, &open.found);
        let walk = if *is_backward { open.places.last_mut() } else { Some(&mut open.walk) };
        let record = walk.and_then(|walk| walk.next(body));
        if let Err(error) = open.verify_anew(block) {
            let found = open.found;
            *batch = None;
            return Err(leave_behind((block, &found), (next, end), *is_backward, &error));
        }
        match record {
            Some(Ok(record)) => {
                if *is_backward {
                    open.places.pop();
                    *end = record.position();
                } else {
                    *next = record.position().plus(1);
                }
                Ok(record)
            }
            failed => {
                let error = failed.and_then(Result::err).unwrap_or(BodyError::Structure);
                let found = open.found;
                *batch = None;
                Err(leave_behind((block, &found), (next, end), *is_backward, &error))
            }
        }
    }

    /// The next batch as it travels, the portable header and the body, forward; `None` when there is none.
    pub(super) fn next_batch(&mut self) -> Result<Option<&[u8]>, ReadError> {
        debug_assert!(!self.is_backward);
        self.batch = None;
        if !self.open_next_batch()? {
            return Ok(None);
        }
        let Some(batch) = self.batch.take() else { unreachable!("a batch was opened") };
        self.next = batch.found.header.end().min(self.end);
        let Some(block) = &self.block else { unreachable!("the batch is one of the block's") };
        let start = usize::try_from(batch.found.offset).expect("a segment is mapped as a whole");
        Ok(Some(&block.view[start + HEADERS_BYTES - PORTABLE_BYTES..start + batch.found.header.bytes()]))
    }

    /// Passes by records of the open batch that are outside of what is read; `false` when it holds no more.
    #[inline]
    fn stands_before_record(&mut self) -> Result<bool, ReadError> {
        let (Some(block), Some(batch)) = (&self.block, &mut self.batch) else { return Ok(false) };
        if self.is_backward {
            while batch.places.last().is_some_and(|place| place.position() >= self.end) {
                batch.places.pop();
            }
            return Ok(batch.places.last().is_some_and(|place| place.position() >= self.next));
        }
        let body = body_of(block, &batch.found);
        while batch.walk.position() < self.next.min(batch.found.header.end()) {
            if !matches!(batch.walk.skip(body), Some(Ok(_))) {
                return Err(self.give_up_batch());
            }
        }
        Ok(batch.walk.position() < self.end.min(batch.found.header.end()))
    }

    /// Leaves the open batch, whose checksum is right but whose content is not.
    fn give_up_batch(&mut self) -> ReadError {
        let (Some(block), Some(batch)) = (&self.block, self.batch.take()) else { unreachable!("a batch is open") };
        let damage = untrue(block, &batch.found, &BodyError::Structure);
        self.pass(&damage.positions);
        ReadError::Damaged(damage)
    }

    /// Opens the next batch with wanted positions; `false` when there is none.
    fn open_next_batch(&mut self) -> Result<bool, ReadError> {
        loop {
            let entry = if self.is_backward { self.entries.next_back() } else { self.entries.next() };
            let Some(ordinal) = entry else {
                if self.load_block()? {
                    continue;
                }
                return Ok(false);
            };
            let Some(block) = &self.block else { return Ok(false) };
            match &block.entries[ordinal] {
                Entry::Damage(damage) if damage.positions.start < self.end && self.next < damage.positions.end => {
                    let damage = damage.clone();
                    self.pass(&damage.positions);
                    return Err(ReadError::Damaged(damage));
                }
                Entry::Batch(found) if found.header.end() > self.next && found.header.base < self.end => {
                    let found = *found;
                    return self.open(found).map(|()| true);
                }
                Entry::Damage(_) | Entry::Batch(_) => {}
            }
        }
    }

    fn open(&mut self, found: Found) -> Result<(), ReadError> {
        let Some(block) = &self.block else { unreachable!("the batch is one of the block's") };
        let lost_pages = block.segment.file.lost_pages();
        let mut source = BatchSource::new(block.view.clone(), &self.library.log.origin);
        // The headers were true when they were found; their page may be lost since.
        let headers = if lost_pages == 0 { Ok(found) } else { source.batch_at(found.offset) };
        if let Err(why) = headers.and_then(|found| source.verified_body(&found).map(drop)) {
            let what = block.why_unreadable(&self.library.log.origin, &found, why).to_string();
            let (file, positions) = (block.segment.path.clone(), found.header.positions());
            let damage = Damage { file, offset: found.offset, positions, what };
            self.pass(&damage.positions);
            return Err(ReadError::Damaged(damage));
        }
        let walk = RecordWalk::new(&found.header);
        let mut places = Vec::new();
        if self.is_backward {
            let body = body_of(block, &found);
            let mut place = walk;
            while place.position() < found.header.end() {
                places.push(place);
                if !matches!(place.skip(body), Some(Ok(_))) {
                    break;
                }
            }
        }
        self.batch = Some(OpenBatch { found, lost_pages, walk, places });
        Ok(())
    }

    /// Leaves positions behind.
    fn pass(&mut self, positions: &Range<Position>) {
        if self.is_backward {
            self.end = self.end.min(positions.start).max(self.next);
        } else {
            self.next = self.next.max(positions.end).min(self.end);
        }
    }

    /// Looks up the batches of the next stretch; `false` when nothing is left to read.
    fn load_block(&mut self) -> Result<bool, ReadError> {
        // What the last block held is behind us, wanted or not.
        if let Some(block) = self.block.take() {
            let (first, last) = (block_start(&block), block.next.1);
            self.pass(&(first..last));
        }
        if self.next >= self.end {
            return Ok(false);
        }
        let segments = self.library.log.segments.load_full();
        let target = if self.is_backward { Position(self.end.0 - 1) } else { self.next };
        let ordinal = segments.ordinal_of(target);
        let Some(segment) = segments.list.get(ordinal).filter(|segment| segment.base <= target) else {
            return Err(self.missing(segments.list.first().map_or(self.end, |first| first.base)));
        };
        let until = segments.list.get(ordinal + 1).map_or(self.end, |next| next.base.min(self.end));
        let start = self.start_of(segment, target);
        let block = Block::load(&self.library.log, segment, start, until, BLOCK_BYTES, self.is_backward);
        let block = block.map_err(|error| ReadError::Io { path: segment.path.clone(), error })?;
        if !self.is_backward {
            self.resume = Some((segment.number, block.next));
        }
        self.entries = 0..block.entries.len();
        self.block = Some(block);
        Ok(true)
    }

    /// Where to begin so as to come by a position; backward, some way before it.
    fn start_of(&self, segment: &Segment<D>, target: Position) -> (u64, Position) {
        if let Some((number, next)) = self.resume
            && number == segment.number
            && next.1 == target
        {
            return next;
        }
        let from = if self.is_backward { Position(target.0.saturating_sub(BACKWARD_EVENTS)) } else { target };
        let from = from.max(segment.base);
        let start = self.library.index.batch_at(from, self.end);
        start.unwrap_or((HEADER_PAGE_BYTES as u64, segment.base))
    }

    /// The positions that no segment holds.
    fn missing(&mut self, until: Position) -> ReadError {
        let positions = self.next..until.min(self.end);
        if self.is_backward {
            self.end = self.next;
        } else {
            self.next = positions.end;
        }
        let file = self.library.path.clone();
        let what = "the segment that held these positions is missing".to_owned();
        ReadError::Damaged(Damage { file, offset: 0, positions, what })
    }
}

/// How far before the wanted event a block begins that is read backward.
const BACKWARD_EVENTS: u64 = 512;

/// The first position a block speaks of.
fn block_start<D: Disk>(block: &Block<D>) -> Position {
    block.entries.first().map_or(block.next.1, |entry| match entry {
        Entry::Batch(found) => found.header.base,
        Entry::Damage(damage) => damage.positions.start,
    })
}

fn body_of<'b, D: Disk>(block: &'b Block<D>, found: &Found) -> &'b [u8] {
    let start = usize::try_from(found.offset).expect("a segment is mapped as a whole") + HEADERS_BYTES;
    &block.view[start..start + found.header.body_bytes as usize]
}

/// Leaves a batch behind: nothing more of it can be read in this direction.
#[cold]
fn leave_behind<D: Disk>(
    (block, found): (&Block<D>, &Found),
    (next, end): (&mut Position, &mut Position),
    is_backward: bool,
    error: &BodyError,
) -> ReadError {
    let mut damage = untrue(block, found, error);
    damage.positions = damage.positions.start.max(*next)..damage.positions.end.min(*end);
    if is_backward {
        *end = damage.positions.start;
    } else {
        *next = damage.positions.end;
    }
    ReadError::Damaged(damage)
}

/// The damage that a batch is whose checksum is right and whose content is not.
fn untrue<D: Disk>(block: &Block<D>, found: &Found, error: &BodyError) -> Damage {
    let positions = found.header.positions();
    Damage { file: block.segment.path.clone(), offset: found.offset, positions, what: error.to_string() }
}
