//! One event by its position: the index says where, the event's own checksums say whether that is true.

use super::handle::Index;
use super::part::Source;
use super::set::Span;
use crate::disk::Disk;
use crate::log::{Log, NotABatch, Segment, SegmentWalk, Step, Window};
use gesta_model::codec::{HEADER_PAGE_BYTES, HEADERS_BYTES, RecordWalk};
use gesta_model::{Damage, Position, Record, Timestamp};
use std::sync::Arc;

/// A copy of an event, verified.
pub(crate) struct Fetched {
    bytes: Box<[u8]>,
    position: Position,
}

impl Fetched {
    /// Copies the record that a view begins with; `None` if it is not whole.
    fn copy(view: &[u8], position: Position) -> Option<Self> {
        let (_, length) = Record::decode(view, position).ok()?;
        let fetched = Self { bytes: view.get(..length)?.into(), position };
        let (record, _) = Record::decode(&fetched.bytes, position).ok()?;
        record.verify().is_ok().then_some(fetched)
    }

    /// The event.
    pub(crate) fn record(&self) -> Record<'_> {
        Record::decode(&self.bytes, self.position).expect("the record was decoded when it was copied").0
    }
}

impl<D: Disk> Index<D> {
    /// The event at a position below `below`, and when the store took it.
    pub(crate) fn fetch(&self, position: Position, below: Position) -> Result<(Fetched, Timestamp), Damage> {
        let set = self.set.load();
        let span = set.span_at(position, below).filter(|span| span.positions.contains(&position));
        let segment = span.as_ref().and_then(|span| segment_of(self.log(), span.part.number));
        let (Some(span), Some(segment)) = (span, segment) else {
            let what = "the segment that held it is missing".to_owned();
            return Err(Damage { file: "the log".to_owned(), offset: 0, positions: position..position.plus(1), what });
        };
        let view = segment.view().map_err(|error| unreadable(&segment, position, &error.to_string()))?;
        let ordinal = u32::try_from(position.since(span.part.base)).unwrap_or(u32::MAX);
        let offset = span.part.ask(&self.reading(), span.end, |source| source.offset_of(ordinal));
        let offset = self.locate((&span, &segment, &view), position, offset)?;
        let place = span.part.ask(&self.reading(), span.end, |source| source.batch_of(ordinal));
        let recorded_at = place.map_or(Timestamp::default(), |place| place.recorded_at);
        let fetched = Fetched::copy(&view[offset..], position);
        let fetched = fetched.ok_or_else(|| unreadable(&segment, position, "the disk can no longer read it"))?;
        Ok((fetched, recorded_at))
    }

    /// Where in the view of its segment the event at a position begins, verified; `offset` is what the index says.
    #[inline]
    pub(crate) fn locate(
        &self,
        (span, segment, view): (&Span<D>, &Segment<D>, &[u8]),
        position: Position,
        offset: Option<u64>,
    ) -> Result<usize, Damage> {
        if let Some(offset) = offset.and_then(|offset| usize::try_from(offset).ok())
            && let Some(bytes) = view.get(offset..)
            && let Ok((record, _)) = Record::decode(bytes, position)
            && record.verify().is_ok()
        {
            return Ok(offset);
        }
        // Either the log is damaged or the index is not true: the log itself decides.
        let offset = find_by_walking(self.log(), segment, span, position)?;
        span.part.lose();
        self.reading().note_lost();
        Ok(offset)
    }
}

/// The segment with a number.
pub(crate) fn segment_of<D: Disk>(log: &Log<D>, number: u64) -> Option<Arc<Segment<D>>> {
    let segments = log.segments.load();
    let ordinal = segments.list.binary_search_by_key(&number, |segment| segment.number).ok()?;
    Some(Arc::clone(&segments.list[ordinal]))
}

/// Walks over the batches of a segment to the event at a position.
fn find_by_walking<D: Disk>(
    log: &Log<D>,
    segment: &Segment<D>,
    span: &Span<D>,
    position: Position,
) -> Result<usize, Damage> {
    let window = Window::new(&segment.file).map_err(|error| unreadable(segment, position, &error.to_string()))?;
    let start = (HEADER_PAGE_BYTES as u64, segment.base);
    let mut walk = SegmentWalk::new(window, &log.origin, &segment.path, start, span.end.max(position.plus(1)));
    while let Some(step) = walk.next() {
        match step {
            Step::Damage(damage) if damage.positions.contains(&position) => return Err(damage),
            Step::Batch(found) if found.header.positions().contains(&position) => {
                let body = match walk.source.verified_body(&found) {
                    Ok(body) => body,
                    Err(why) => return Err(walk.damaged_body(&found, why)),
                };
                let mut records = RecordWalk::new(&found.header);
                while let Some(Ok(place)) = records.next_place(body) {
                    if place.record.position() == position {
                        let start = usize::try_from(found.offset).expect("a segment is mapped as a whole");
                        return Ok(start + HEADERS_BYTES + place.offset);
                    }
                }
                return Err(walk.damaged_body(&found, NotABatch::Invalid("the event is not in its batch".to_owned())));
            }
            Step::Damage(_) | Step::Batch(_) => {}
        }
    }
    Err(unreadable(segment, position, "the event is not where the log has it"))
}

fn unreadable<D: Disk>(segment: &Segment<D>, position: Position, what: &str) -> Damage {
    let positions = position..position.plus(1);
    Damage { file: segment.path.clone(), offset: 0, positions, what: what.to_owned() }
}

impl<D: Disk> Source<D> {
    /// The ordinal of a position.
    pub(crate) fn ordinal(&self, position: Position) -> u32 {
        let base = match self {
            Self::Memory(memory) => memory.base(),
            Self::File(file) => file.base(),
        };
        u32::try_from(position.since(base)).unwrap_or(u32::MAX)
    }
}
