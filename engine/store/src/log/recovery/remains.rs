//! What is left of a damaged log, read without mending anything: for whoever takes it to another place.
//!
//! The end is judged as an opening for writing judges it, but nothing is cut. A segment that has lost its header is left in
//! its place: its batches say themselves where they belong.

use super::beyond::{Look, look_beyond};
use super::continuity::{check_continuity, find_seal};
use super::files::{SegmentFile, read_segment_files};
use super::judge::{Doubt, Verdict, judge};
use super::tail_scan::{Stop, TailScan};
use crate::disk::{Access, Disk};
use crate::log::batch_source::{BatchSource, Found, Window};
use crate::log::error::OpenError;
use crate::log::manifest::Manifest;
use crate::log::origin::Origin;
use crate::log::segment::{Segment, Segments};
use crate::log::shared::Log;
use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentHeader};
use gesta_model::{Damage, Incarnation, Position};
use std::ops::Range;
use std::sync::Arc;

/// A log as far as it can be read, whatever is damaged.
pub(crate) struct Remains<D: Disk> {
    pub(crate) manifest: Manifest,
    pub(crate) log: Log<D>,
    /// Every position below it was given out: its event can be read, or something proves that it was durable.
    pub(crate) head: Position,
    /// What keeps the log from being written again and is no position below the head.
    pub(crate) damage: Vec<Damage>,
    /// What stands at the end of the log and is no batch: nothing tells whether events were lost there.
    pub(crate) doubtful_end: Option<Damage>,
    /// The lengths of the first and of the longest segment; 0 without any.
    pub(crate) segment_bytes: (u64, u64),
    /// The widest bound that a segment's header states.
    pub(crate) unsynced_bytes_max: u64,
}

/// A segment file with batches in it.
struct Part<D: Disk> {
    file: SegmentFile<D>,
    base: Position,
    /// The first batch, of a file whose header is lost.
    first: Option<Found>,
}

impl<D: Disk> Part<D> {
    /// Where the segment ends, if its seal tells; otherwise where it begins. A seal says where it stands in its file, so a copy
    /// of one in another place is not believed.
    fn end_or_base(&self, origin: &Origin) -> Position {
        let seal = find_seal(&self.file, origin).filter(|(found, seal)| found.offset == seal.written_bytes);
        seal.map_or(self.base, |(found, _)| found.header.base.max(self.base))
    }
}

impl<D: Disk> Remains<D> {
    /// Looks at a log that nobody writes to.
    pub(crate) fn of(disk: &D, manifest: Manifest) -> Result<Self, OpenError> {
        let origin = manifest.origin.clone();
        let files = read_segment_files(disk, &manifest, Access::Read)?;
        let mut damage = check_continuity(&files, &origin)?;
        // Which positions are lost, the walk over all batches tells.
        damage.retain(|damage| damage.positions.is_empty());
        let lengths = files.iter().map(|file| file.length);
        let segment_bytes = (lengths.clone().next().unwrap_or(0), lengths.max().unwrap_or(0));
        let headers = files.iter().filter_map(|file| file.header.ok());
        let unsynced_bytes_max = headers.map(|header| header.unsynced_bytes_max).max().unwrap_or(0);

        let (mut parts, mut rest) = (Vec::<Part<D>>::new(), Vec::new());
        let mut bases: Vec<_> = files.iter().filter_map(|file| Some((file.number, file.header.ok()?.base))).collect();
        bases.reverse();
        for file in files {
            let _passed = bases.pop_if(|(number, _)| *number <= file.number);
            let found = if file.header.is_err() {
                // A segment begins where the one before it ends or later, and before the next one.
                let begins = parts.last().map_or(Position::START, |last| last.end_or_base(&origin));
                first_batch(&file, &origin, &(begins..bases.last().map_or(Position::MAX, |(_, base)| *base)))?
            } else {
                None
            };
            let base = file.header.map_or_else(|_| found.map(|found| found.header.base), |header| Some(header.base));
            match base {
                Some(base) => {
                    rest.clear();
                    parts.push(Part { file, base, first: found });
                }
                None => rest.push(file),
            }
        }
        let floor = manifest.truncate_at.map_or(manifest.durable_floor, |at| manifest.durable_floor.min(at));
        let mut end = End { head: floor, damage, doubtful: None, is_sealed: true };
        if let Some(tail) = parts.last() {
            end.read(tail, &origin, (floor, manifest.incarnation))?;
        }
        end.look_beyond(&rest, parts.last().map_or(1, |tail| tail.file.number + 1), &origin, disk)?;
        let head = manifest.truncate_at.map_or(end.head, |at| end.head.min(at));
        let list = parts.into_iter().map(|Part { file, base, .. }| {
            Arc::new(Segment::new(file.number, base, file.path, file.file, file.length))
        });
        let log = Log::new((manifest.store_id, origin), Segments { list: list.collect() }, head);
        let End { damage, doubtful: doubtful_end, .. } = end;
        Ok(Self { manifest, log, head, damage, doubtful_end, segment_bytes, unsynced_bytes_max })
    }
}

/// The first whole batch of a file without a readable header that can belong there.
fn first_batch<D: Disk>(
    file: &SegmentFile<D>,
    origin: &Origin,
    within: &Range<Position>,
) -> Result<Option<Found>, OpenError> {
    let window = Window::new(&file.file).map_err(OpenError::io(file.path.clone(), "cannot read the segment"))?;
    let mut source = BatchSource::new(window, origin);
    let mut at = HEADER_PAGE_BYTES as u64;
    loop {
        let Some(found) = source.look_ahead(at, u64::MAX, |found| within.contains(&found.header.base)).found else {
            return Ok(None);
        };
        if found.end_offset() <= file.length && source.verified_body(&found).is_ok() {
            return Ok(Some(found));
        }
        at = found.offset + 8;
    }
}

/// The end of a log, as far as it was looked at.
struct End {
    head: Position,
    damage: Vec<Damage>,
    doubtful: Option<Damage>,
    /// The last segment is sealed, or there is none: the log goes on in the next file.
    is_sealed: bool,
}

impl End {
    /// Walks over the last segment to the end of its last batch, over damage that evidence shows to be damage.
    fn read<D: Disk>(
        &mut self,
        tail: &Part<D>,
        origin: &Origin,
        (floor, incarnation): (Position, Incarnation),
    ) -> Result<(), OpenError> {
        let file = &tail.file;
        let window = Window::new(&file.file).map_err(OpenError::io(file.path.clone(), "cannot read the segment"))?;
        let mut source = BatchSource::new(window, origin);
        let header = file.header.unwrap_or_else(|_| lost_header(tail));
        let mut scan = TailScan::new(&header);
        if let Some(first) = &tail.first {
            scan.resume_at(first);
        }
        let doubt =
            Doubt { unsynced_bytes_max: header.unsynced_bytes_max, evidence: floor, reach: u64::MAX, incarnation };
        loop {
            if matches!(scan.advance(&mut source, Position::MAX, |_, _| {}), Some(Stop::Sealed) | None) {
                break;
            }
            match judge(&scan, &mut source, &doubt) {
                Verdict::NoEventsLost(next) | Verdict::Corrupt { next: Some(next), .. } => scan.resume_at(&next),
                Verdict::Corrupt { next: None, evidence, what } => {
                    self.head = self.head.max(evidence).max(scan.position);
                    let end = at_head(file.path.clone(), scan.offset, self.head, what);
                    if evidence > scan.position {
                        self.doubtful = Some(end);
                    } else {
                        self.damage.push(end);
                    }
                    break;
                }
                Verdict::Torn { nonzero_end } => {
                    if let Some(end) = nonzero_end {
                        let what = format!("{} bytes are no batch", end - scan.offset);
                        self.doubtful = Some(at_head(file.path.clone(), scan.offset, scan.position, what));
                    }
                    break;
                }
            }
        }
        self.head = self.head.max(scan.position).max(scan.durable);
        self.is_sealed = scan.seal.is_some();
        if tail.first.is_none() && file.length != header.segment_bytes {
            let what = format!("the file is {} bytes long instead of {}", file.length, header.segment_bytes);
            self.note(file.path.clone(), file.length.min(header.segment_bytes), what);
        }
        Ok(())
    }

    /// Looks at the files after the last segment, in which no batch is whole: spares, as a rule.
    fn look_beyond<D: Disk>(
        &mut self,
        files: &[SegmentFile<D>],
        next_number: u64,
        origin: &Origin,
        disk: &D,
    ) -> Result<(), OpenError> {
        for (file, number) in files.iter().zip(next_number..) {
            let beyond = look_beyond(file, origin, Look::All)?;
            self.head = self.head.max(beyond.evidence);
            if file.number != number {
                self.note(file.path.clone(), 0, "a segment before this file is missing".to_owned());
                break;
            } else if file.length < HEADER_PAGE_BYTES as u64 {
                self.note(file.path.clone(), 0, "the file is shorter than any segment".to_owned());
            } else if beyond.unreadable && self.is_sealed {
                self.note(file.path.clone(), 0, "the disk cannot read the file".to_owned());
            } else if beyond.nonzero_end > 0 && self.doubtful.is_none() {
                let what = format!("{} bytes are no batch", beyond.nonzero_end);
                self.doubtful = Some(at_head(file.path.clone(), 0, self.head, what));
            }
        }
        if files.is_empty() && self.is_sealed && next_number > 1 {
            let what = format!(
                "the segment file with number {next_number} is missing: events from position {} on may have been lost",
                self.head
            );
            self.note(disk.describe(""), 0, what);
        }
        Ok(())
    }

    fn note(&mut self, file: String, offset: u64, what: String) {
        self.damage.push(at_head(file, offset, self.head, what));
    }
}

/// Something at the end of the log, of which nobody knows whether events were lost by it.
fn at_head(file: String, offset: u64, head: Position, what: String) -> Damage {
    Damage { file, offset, positions: head..head, what }
}

/// What the header of a file said, as far as a walk over its batches must know.
fn lost_header<D: Disk>(part: &Part<D>) -> SegmentHeader {
    SegmentHeader {
        store_id: gesta_model::Uuid::nil(),
        number: part.file.number,
        generation: 0,
        incarnation: Incarnation(0),
        base: part.base,
        previous: 0,
        previous_seal: 0,
        // A batch that follows damage says by itself that it is damage.
        unsynced_bytes_max: u64::MAX,
        segment_bytes: part.file.length,
    }
}
