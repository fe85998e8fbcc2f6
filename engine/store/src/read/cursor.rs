//! A bounded read: one record after another, each borrowed from where it lies.

use super::block::{Block, Entry};
use super::error::ReadError;
use super::reader::Library;
use super::request::Read;
use crate::disk::{Disk, RealDisk};
use crate::log::{BatchSource, Damage, Found, NotABatch, Segment};
use gesta_model::codec::{HEADER_PAGE_BYTES, HEADERS_BYTES, Record, RecordWalk};
use gesta_model::{Position, StreamName, Timestamp};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Events in order, up to the head as of the read.
///
/// Not an `Iterator`: each record borrows from the cursor, which is what makes reading free of copies.
pub struct Cursor<D: Disk = RealDisk> {
    library: Arc<Library<D>>,
    stream: Option<StreamName>,
    first_revision: u64,
    last_revision: u64,
    since: Option<Timestamp>,
    remaining: u64,
    is_backward: bool,
    /// The first position that was not readable when the read began.
    head: Position,
    /// The positions still to be read, half-open; shrinks from the end that is read.
    next: Position,
    end: Position,
    block: Option<Block<D>>,
    /// The entries of the block still to be read.
    entries: std::ops::Range<usize>,
    batch: Option<OpenBatch>,
    resume: Option<(u64, (u64, Position))>,
    /// Damage that is told once all else has been read.
    missing_end: Option<Damage>,
}

/// A verified batch that is being read.
struct OpenBatch {
    found: Found,
    walk: RecordWalk,
    /// Backward: the places of the records still to be read.
    places: Vec<RecordWalk>,
}

/// How many bytes of batches are looked up at a time.
const BLOCK_BYTES: u64 = 256 << 10;

impl<D: Disk> Cursor<D> {
    pub(super) fn new(library: Arc<Library<D>>, read: Read) -> Self {
        let head =
            if read.sees_unsynced { library.log.watermarks.written() } else { library.log.watermarks.readable() };
        let (mut next, mut end) = match (read.is_backward, read.from) {
            (false, from) => (from.unwrap_or_default(), head),
            (true, from) => (Position::START, from.map_or(head, |from| from.plus(1).min(head))),
        };
        let from_revision = read.from_revision.map(|revision| revision.0);
        let (first_revision, last_revision) = match (read.is_backward, from_revision) {
            (false, from) => (from.unwrap_or(0), u64::MAX),
            (true, from) => (0, from.unwrap_or(u64::MAX)),
        };
        // Relaxed: pairs with the store in `Survey::catch_up`, which the opening or refresh before this read has run.
        let has_gaps = library.index.has_gaps.load(Ordering::Relaxed);
        // A lost event may be one of the stream: then all that is lost has to be told.
        if let Some(stream) = read.stream.as_ref().filter(|_| !has_gaps) {
            let stands = library.index.heads.of(stream.as_str());
            next = next.max(stands.map_or(end, |stands| stands.first));
            end = end.min(stands.map_or(next, |stands| stands.last.plus(1)));
        }
        let missing_end = library.missing_end();
        Self {
            library,
            stream: read.stream,
            first_revision,
            last_revision,
            since: read.since,
            remaining: read.limit,
            is_backward: read.is_backward,
            head,
            next: next.min(end),
            end,
            block: None,
            entries: 0..0,
            batch: None,
            resume: None,
            missing_end,
        }
    }

    /// The next record; `None` when all have been read.
    ///
    /// After [`ReadError::Damaged`] the next call goes on beyond the damage.
    pub fn next_record(&mut self) -> Option<Result<Record<'_>, ReadError>> {
        match self.advance() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(Err(error)),
        }
        self.remaining -= 1;
        let body = body_of(self.block.as_ref()?, &self.batch.as_ref()?.found)?;
        let batch = self.batch.as_mut()?;
        let record = if self.is_backward { batch.places.pop()?.next(body) } else { batch.walk.next(body) };
        let record = record?.ok()?;
        if self.is_backward {
            self.end = record.position();
        } else {
            self.next = record.position().plus(1);
        }
        Some(Ok(record))
    }

    /// When the store took the event that was read last.
    #[must_use]
    pub fn recorded_at(&self) -> Option<Timestamp> {
        self.batch.as_ref().map(|batch| batch.found.header.recorded_at)
    }

    /// The positions still to be read, half-open.
    #[must_use]
    pub fn remaining_positions(&self) -> std::ops::Range<Position> {
        self.next..self.end
    }

    /// The head as of the read: the first position that was not readable when it began.
    #[must_use]
    pub fn head(&self) -> Position {
        self.head
    }

    /// Stands before the next record that is wanted; `false` when there is none.
    pub(super) fn advance(&mut self) -> Result<bool, ReadError> {
        while self.remaining > 0 {
            if self.stand_before_wanted() {
                return Ok(true);
            }
            self.batch = None;
            if !self.open_next_batch()? {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Skips records of the open batch that are not wanted; `false` when it holds no more.
    fn stand_before_wanted(&mut self) -> bool {
        let (Some(block), Some(batch)) = (&self.block, &mut self.batch) else { return false };
        let Some(body) = body_of(block, &batch.found) else { return false };
        loop {
            let mut walk = match (self.is_backward, batch.places.last()) {
                (true, Some(place)) => *place,
                (true, None) => return false,
                (false, _) => batch.walk,
            };
            let Some(Ok(record)) = walk.next(body) else { return false };
            let position = record.position();
            let in_stream = self.stream.as_ref().is_none_or(|stream| {
                let revision = record.revision().map_or(u64::MAX, |revision| revision.0);
                record.stream() == Some(stream.as_str())
                    && (self.first_revision..=self.last_revision).contains(&revision)
            });
            if in_stream && self.next <= position && position < self.end {
                return true;
            }
            if self.is_backward {
                batch.places.pop();
            } else {
                batch.walk = walk;
            }
        }
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
                Entry::Damage(damage) => {
                    if damage.positions.start < self.end && self.next < damage.positions.end {
                        let damage = damage.clone();
                        self.pass(&damage.positions);
                        return Err(ReadError::Damaged(damage));
                    }
                }
                Entry::Batch(found) => {
                    let found = *found;
                    let is_old = self.since.is_some_and(|since| found.header.recorded_at < since);
                    let is_outside = found.header.end() <= self.next || found.header.base >= self.end;
                    if is_outside || is_old {
                        if is_old && self.is_backward {
                            self.end = self.next;
                            return Ok(false);
                        }
                        continue;
                    }
                    return self.open(found).map(|()| true);
                }
            }
        }
    }

    fn open(&mut self, found: Found) -> Result<(), ReadError> {
        let Some(block) = &self.block else { return Ok(()) };
        let mut source = BatchSource::new(block.view.clone(), &self.library.log.key);
        if let Err(why) = source.verified_body(&found) {
            let what = match why {
                NotABatch::Invalid(what) => what,
                NotABatch::Unwritten => "the batch was never written".to_owned(),
            };
            let positions = found.header.positions();
            let damage = Damage { file: block.path.clone(), offset: found.offset, positions, what };
            self.pass(&damage.positions);
            return Err(ReadError::Damaged(damage));
        }
        let walk = RecordWalk::new(&found.header);
        let mut places = Vec::new();
        if self.is_backward
            && let Some(body) = body_of(block, &found)
        {
            let mut place = walk;
            loop {
                let before = place;
                if place.next(body).is_none() {
                    break;
                }
                places.push(before);
            }
        }
        self.batch = Some(OpenBatch { found, walk, places });
        Ok(())
    }

    /// Leaves positions behind.
    fn pass(&mut self, positions: &std::ops::Range<Position>) {
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
            return self.missing_end.take().map_or(Ok(false), |damage| Err(ReadError::Damaged(damage)));
        }
        let segments = self.library.log.segments.load_full();
        let target = if self.is_backward { Position(self.end.0 - 1) } else { self.next };
        let ordinal = segments.ordinal_of(target);
        let Some(segment) = segments.list.get(ordinal).filter(|segment| segment.base <= target) else {
            return Err(self.missing(segments.list.first().map_or(self.end, |first| first.base)));
        };
        let until = segments.list.get(ordinal + 1).map_or(self.end, |next| next.base.min(self.end));
        let start = self.start_of(segment, target);
        let bytes = if self.is_backward { u64::MAX } else { BLOCK_BYTES };
        let block = Block::load(&self.library.log, segment, start, until, bytes);
        let block = block.map_err(|error| ReadError::Io { path: segment.path.clone(), error })?;
        if !self.is_backward {
            self.resume = Some((segment.number, block.next));
        }
        self.entries = 0..block.entries.len();
        self.block = Some(block);
        Ok(true)
    }

    /// Where to begin so as to come by a position.
    fn start_of(&self, segment: &Segment<D>, target: Position) -> (u64, Position) {
        if let Some((number, next)) = self.resume
            && number == segment.number
            && next.1 == target
        {
            return next;
        }
        let landmark = self.library.index.landmarks.before(segment.number, target);
        landmark.map_or((HEADER_PAGE_BYTES as u64, segment.base), |landmark| (landmark.offset, landmark.position))
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

/// The first position a block speaks of.
fn block_start<D: Disk>(block: &Block<D>) -> Position {
    block.entries.first().map_or(block.next.1, |entry| match entry {
        Entry::Batch(found) => found.header.base,
        Entry::Damage(damage) => damage.positions.start,
    })
}

fn body_of<'b, D: Disk>(block: &'b Block<D>, found: &Found) -> Option<&'b [u8]> {
    let start = usize::try_from(found.offset).ok()? + HEADERS_BYTES;
    block.view.get(start..start + found.header.body_bytes as usize)
}
