//! The log of a store that may be open for writing elsewhere: read without a lock, changing nothing.
//!
//! Only what is proven durable is shown. What a writer has acknowledged but nothing proves yet appears with the next
//! batch or mark, a millisecond later.

use super::batch_source::{BatchSource, Window};
use super::error::OpenError;
use super::manifest::Manifest;
use super::recovery::{
    Doubt, Look, SegmentFile, Stop, TailScan, Verdict, check_continuity, check_vacant, judge, look_beyond,
    read_segment_files,
};
use super::segment::{Segment, Segments};
use super::shared::Log;
use crate::disk::{Access, Disk};
use crate::sync::Mutex;
use gesta_model::codec::HEADER_PAGE_BYTES;
use gesta_model::{Damage, Incarnation, Position};
use std::sync::Arc;

/// Another process's log.
pub(crate) struct ObservedLog<D: Disk> {
    disk: D,
    pub(crate) log: Arc<Log<D>>,
    progress: Mutex<Progress>,
}

struct Progress {
    manifest: Manifest,
    /// The walk over the last segment with a header, at a place that is proven durable.
    tail: Option<(u64, TailScan)>,
    /// The number of the segment file that must be there and is not.
    missing: Option<u64>,
}

impl<D: Disk> ObservedLog<D> {
    /// Opens the log as it stands.
    pub(crate) fn open(disk: D) -> Result<Self, OpenError> {
        let manifest = load_manifest(&disk)?;
        let log = Arc::new(Log::new(
            (manifest.store_id, manifest.origin.clone()),
            Segments { list: Vec::new() },
            Position::START,
        ));
        let observed = Self { disk, log, progress: Mutex::new(Progress { manifest, tail: None, missing: None }) };
        observed.look(u64::MAX)?;
        observed.notice_lost_header()?;
        Ok(observed)
    }

    /// Whether the store finds events by their ids.
    pub(crate) fn indexes_event_ids(&self) -> bool {
        self.progress.lock().manifest.indexes_event_ids
    }

    /// The life of the log that the last writer that was noticed began.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.progress.lock().manifest.incarnation
    }

    /// Where the log lies.
    pub(crate) fn disk(&self) -> &D {
        &self.disk
    }

    /// Looks again at what was written since.
    pub(crate) fn refresh(&self) -> Result<(), OpenError> {
        // No gap is wider than a mark that a power cut took; most of what lies beyond are the zeros of a long file.
        const REACH_BYTES: u64 = 1 << 20;
        self.look(REACH_BYTES)
    }

    /// Shows a last segment that has lost its header as the damage that it is.
    fn notice_lost_header(&self) -> Result<(), OpenError> {
        let mut progress = self.progress.lock();
        let number = progress.tail.as_ref().map_or(0, |(number, _)| *number);
        let mut evidence = Position::START;
        for file in self.segment_files(&mut progress)? {
            if file.number > number && file.header.is_err() {
                evidence = evidence.max(look_beyond(&file, &self.log.origin, Look::Start)?.evidence);
            }
        }
        drop(progress);
        if evidence > self.log.watermarks.readable() {
            // A writer may have opened the segment just now.
            self.refresh()?;
            let readable = evidence.max(self.log.watermarks.readable());
            self.log.watermarks.publish(readable, readable);
        }
        Ok(())
    }

    /// Shows what is proven; looks `reach` bytes ahead where the next batch is missing.
    fn look(&self, reach: u64) -> Result<(), OpenError> {
        let mut progress = self.progress.lock();
        loop {
            let goes_on = match progress.tail.clone() {
                None => self.enter_next(&mut progress, 0)?,
                Some((number, scan)) => {
                    let (mut scan, is_sealed) = self.walk_on(&progress.manifest, number, scan, reach)?;
                    scan.prove(durable_floor(&progress.manifest));
                    self.show(number, &scan);
                    progress.tail = Some((number, scan.settled()));
                    is_sealed && self.enter_next(&mut progress, number)?
                }
            };
            if !goes_on {
                self.show_durable_floor(&mut progress);
                return Ok(());
            }
        }
    }

    /// Walks on in the segment, over damage that evidence shows to be damage; tells whether the segment is sealed.
    fn walk_on(
        &self,
        manifest: &Manifest,
        number: u64,
        mut scan: TailScan,
        reach: u64,
    ) -> Result<(TailScan, bool), OpenError> {
        let segments = self.log.segments.load();
        let segment = segments.list.iter().find(|segment| segment.number == number);
        let segment = segment.expect("the tail is one of the segments");
        let mut stopped_at = None;
        loop {
            let failed = OpenError::io(segment.path.clone(), "cannot read the segment");
            let mut source = BatchSource::new(Window::new(&segment.file).map_err(failed)?, &self.log.origin);
            if matches!(scan.advance(&mut source, Position::MAX, |_, _| {}), Some(Stop::Sealed) | None) {
                return Ok((scan, true));
            }
            let doubt = Doubt {
                unsynced_bytes_max: u64::MAX,
                evidence: durable_floor(manifest),
                reach,
                incarnation: Incarnation(u32::MAX),
            };
            let verdict = judge(&scan, &mut source, &doubt);
            if matches!(verdict, Verdict::Torn { .. }) {
                return Ok((scan, false));
            }
            // A writer may have been in the middle of this batch: look once more before calling it damage.
            if stopped_at != Some(scan.offset) {
                stopped_at = Some(scan.offset);
                continue;
            }
            match verdict {
                Verdict::NoEventsLost(next) | Verdict::Corrupt { next: Some(next), .. } => scan.resume_at(&next),
                Verdict::Corrupt { next: None, evidence, .. } => {
                    scan.prove(evidence);
                    scan.position = evidence.max(scan.position);
                    return Ok((scan, false));
                }
                Verdict::Torn { .. } => unreachable!("a torn end was answered above"),
            }
        }
    }

    /// Lets readers see what is proven.
    fn show(&self, number: u64, scan: &TailScan) {
        let segments = self.log.segments.load();
        if let Some(segment) = segments.list.iter().find(|segment| segment.number == number) {
            let bytes = if scan.seal.is_some() { scan.offset } else { scan.unproven_offset() };
            segment.publish_bytes(bytes.max(segment.published_bytes()));
        }
        let proven = scan.durable.min(scan.position).max(self.log.watermarks.readable());
        self.log.watermarks.publish(proven, proven);
    }

    /// Lets readers see up to where the log must reach: what is missing below it is damage, and not the end of the log.
    fn show_durable_floor(&self, progress: &mut Progress) {
        let (floor, readable) = (durable_floor(&progress.manifest), self.log.watermarks.readable());
        if floor > readable {
            // Readers come upon the positions that are missing, which says more than the name of a file.
            progress.missing = None;
            self.log.watermarks.publish(floor.max(self.log.watermarks.written()), floor);
        }
    }

    /// The end of the log, when the segment that holds it is missing: how far it reached, nobody knows.
    pub(crate) fn missing_end(&self) -> Option<Damage> {
        let number = self.progress.lock().missing?;
        let head = self.log.watermarks.readable();
        let what = format!(
            "the segment file with number {number} is missing: events from position {head} on may have been lost"
        );
        Some(Damage { file: self.disk.describe(""), offset: 0, positions: head..head, what })
    }

    /// Adds the segments after `number` that have a header; tells whether there are any.
    fn enter_next(&self, progress: &mut Progress, number: u64) -> Result<bool, OpenError> {
        let mut files = self.segment_files(progress)?;
        files.retain(|file| file.number >= number);
        // What is missing is found where it is read; what is of another time must not be read at all.
        check_continuity(&files, &progress.manifest.origin)?;
        let beyond: Vec<SegmentFile<D>> = files.into_iter().filter(|file| file.number > number).collect();
        // A file is there before the segment before it is sealed; only a store without events may have none at all.
        let is_missing = beyond.first().map_or(number > 0, |file| file.number != number + 1);
        progress.missing = is_missing.then_some(number + 1);
        let fresh: Vec<SegmentFile<D>> = beyond.into_iter().filter(|file| file.header.is_ok()).collect();
        let Some(last) = fresh.last() else { return Ok(false) };
        let header = last.header.expect("only files with a header are kept");
        // What follows the gap tells which positions it held.
        progress.missing = None;
        let mut scan = TailScan::new(&header);
        scan.prove(progress.manifest.durable_floor);
        progress.tail = Some((last.number, scan));
        let mut list = self.log.segments.load().list.clone();
        let last_number = last.number;
        for file in fresh {
            let Ok(header) = file.header else { continue };
            if let Some(before) = list.last() {
                before.sealed_with(header.previous_seal);
            }
            let published = if file.number == last_number { HEADER_PAGE_BYTES as u64 } else { file.length };
            list.push(Arc::new(Segment::new(file.number, header.base, file.path, file.file, published)));
        }
        for earlier in list.iter().filter(|segment| segment.number == number) {
            earlier.publish_bytes(earlier.file_length());
        }
        self.log.segments.store(Arc::new(Segments { list }));
        Ok(true)
    }

    fn segment_files(&self, progress: &mut Progress) -> Result<Vec<SegmentFile<D>>, OpenError> {
        match read_segment_files(&self.disk, &progress.manifest, Access::Read) {
            // The writer may have been opened since, which makes the manifest younger.
            Err(OpenError::Foreign { .. }) => {
                progress.manifest = load_manifest(&self.disk)?;
                read_segment_files(&self.disk, &progress.manifest, Access::Read)
            }
            outcome => outcome,
        }
    }
}

/// The manifest of a store that must be there. Segments without a manifest are a damaged store, not a missing one.
pub(crate) fn load_manifest<D: Disk>(disk: &D) -> Result<Manifest, OpenError> {
    if let Some(manifest) = Manifest::load(disk)? {
        return Ok(manifest);
    }
    match check_vacant(disk) {
        // A writer may have made the store just now, its manifest before its first segment.
        Err(damaged @ OpenError::ManifestDamaged { .. }) => Manifest::load(disk)?.ok_or(damaged),
        Err(backup @ OpenError::Backup { .. }) => Err(backup),
        _ => Err(OpenError::NotFound { path: disk.describe("") }),
    }
}

/// Every position below it is durable, as far as the manifest knows; a truncation that was begun voids the rest.
fn durable_floor(manifest: &Manifest) -> Position {
    manifest.truncate_at.map_or(manifest.durable_floor, |at| manifest.durable_floor.min(at))
}
