//! Opening a log for writing: judge its end, cut a torn tail, make the rest durable, begin a new life.

use super::beyond::{Beyond, Look, look_beyond};
use super::continuity::{check_continuity, find_seal};
use super::files::{SegmentFile, read_header, read_segment_files};
use super::judge::{Doubt, Verdict, judge};
use super::report::RecoveryReport;
use super::tail_scan::{Stop, TailScan};
use crate::disk::{Access, Disk, DiskFile};
use crate::log::batch_source::{BatchSource, Found, NotABatch, Window};
use crate::log::error::OpenError;
use crate::log::files::{MANIFESTS, parse_segment_name, remove_unfinished};
use crate::log::manifest::Manifest;
use crate::log::segment::Segment;
use crate::log::spare::{Spare, fill_with_zeros};
use crate::log::truncation::finish_truncation;
use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentHeader};
use gesta_model::{Damage, Position};
use std::io;
use std::sync::Arc;

/// A log that is ready: for writing, unless the report says that it is degraded.
pub(crate) struct Recovered<D: Disk> {
    pub(crate) manifest: Manifest,
    pub(crate) segments: Vec<Arc<Segment<D>>>,
    /// The last segment with a header, walked over to its end; `None` in a new log.
    pub(crate) tail: Option<(SegmentHeader, TailScan)>,
    pub(crate) spare: Option<Spare<D>>,
    /// Every position below it may be read.
    pub(crate) readable: Position,
    pub(crate) report: RecoveryReport,
}

/// Opens the log of a store whose lock is held. Shows every batch of the tail segment to `visit` with its verified body, in
/// order, after the position that the segment begins at.
pub(crate) fn recover<D: Disk>(
    disk: &D,
    mut manifest: Manifest,
    visit: &mut dyn FnMut(Position, &Found, &[u8]),
) -> Result<Recovered<D>, OpenError> {
    let directory = || disk.describe("");
    let names = disk.list().map_err(OpenError::io(directory(), "cannot list the directory"))?;
    remove_unfinished(disk, &names).map_err(OpenError::io(directory(), "cannot remove an unfinished file"))?;
    settle_end(disk, &names)?;
    finish_truncation(disk, &mut manifest)?;
    let mut files = read_segment_files(disk, &manifest, Access::Write)?;
    let tail_ordinal = files.iter().rposition(|file| file.header.is_ok());
    let beyond = files.split_off(tail_ordinal.map_or(0, |ordinal| ordinal + 1));

    let mut recovery = Recovery { manifest, report: RecoveryReport::default(), beyond: Vec::new() };
    for damage in check_continuity(&files, &recovery.manifest.origin)? {
        recovery.report.is_degraded = true;
        recovery.report.damage.push(damage);
    }
    for file in &beyond {
        recovery.beyond.push(look_beyond(file, &recovery.manifest.origin, Look::Start)?);
    }
    let mut tail = match files.last() {
        Some(file) => Some(recovery.recover_tail(file, visit)?),
        None => None,
    };
    if let (Some((_, scan)), [.., before, _]) = (&mut tail, &*files)
        && scan.batch_count == 0
    {
        // A power cut took all that the tail held; time goes on from the segment before.
        let seal = find_seal(before, &recovery.manifest.origin);
        scan.last_recorded_at = seal.map_or(scan.last_recorded_at, |(_, seal)| seal.last_recorded_at);
    }
    let end = tail.as_ref().map_or(Position::START, |(_, scan)| scan.position);
    let next_number = files.last().map_or(1, |file| file.number + 1);
    let is_sealed = tail.as_ref().is_none_or(|(_, scan)| scan.seal.is_some());
    if is_sealed {
        // Only after a seal may anything have been written to the file that follows.
        for (file, found) in beyond.iter().zip(&mut recovery.beyond) {
            *found = look_beyond(file, &recovery.manifest.origin, Look::All)?;
        }
    }
    recovery.judge_beyond(&beyond, next_number, end, is_sealed, tail.is_some(), &directory());

    if !recovery.report.is_degraded {
        recovery.clean_beyond(&beyond)?;
        // A mark that an earlier life closed with says nothing of the last one, which may have written nothing that is left.
        let last_life = recovery.manifest.incarnation;
        let closed_cleanly = tail.as_ref().is_some_and(|(_, scan)| scan.is_closed && scan.incarnation == last_life);
        recovery.begin_life(disk, end, closed_cleanly)?;
    }
    recovery.report.tail = end;
    let readable = if recovery.report.is_degraded { recovery.evidence_of(tail.as_ref()) } else { end };
    let spare = beyond.into_iter().find(|file| file.number == next_number && !recovery.report.is_degraded);
    let mut segments: Vec<Arc<Segment<D>>> = Vec::new();
    for file in files {
        let Ok(header) = file.header else { continue };
        if let Some(before) = segments.last() {
            before.sealed_with(header.previous_seal);
        }
        segments.push(as_segment(file, &header, tail.as_ref()));
    }
    Ok(Recovered {
        segments,
        spare: spare.map(|file| Spare { number: file.number, path: file.path, bytes: file.length, file: file.file }),
        tail,
        readable,
        manifest: recovery.manifest,
        report: recovery.report,
    })
}

struct Recovery {
    manifest: Manifest,
    report: RecoveryReport,
    /// What the files after the last readable header hold.
    beyond: Vec<Beyond>,
}

impl Recovery {
    /// Walks over the tail segment, judges its end, and unless it is damaged makes it ready to be written.
    fn recover_tail<D: Disk>(
        &mut self,
        file: &SegmentFile<D>,
        visit: &mut dyn FnMut(Position, &Found, &[u8]),
    ) -> Result<(SegmentHeader, TailScan), OpenError> {
        let header = file.header.expect("the tail has a header");
        if file.length != header.segment_bytes {
            let what = format!("the file is {} bytes long instead of {}", file.length, header.segment_bytes);
            self.damage(file.path.clone(), file.length.min(header.segment_bytes), header.base..header.base, what);
            self.report.is_degraded = true;
        }
        let mut scan = TailScan::new(&header);
        let origin = self.manifest.origin.clone();
        let window = Window::new(&file.file).map_err(OpenError::io(file.path.clone(), "cannot read the segment"))?;
        let mut source = BatchSource::new(window, &origin);
        let torn_end = loop {
            match scan.advance(&mut source, Position::MAX, |found, body| visit(header.base, found, body)) {
                Some(Stop::NotABatch(why)) => {
                    if let Some(torn_end) = self.judge_end(file, &header, &mut scan, &mut source, why) {
                        break torn_end;
                    }
                }
                Some(Stop::Sealed) | None => break None,
            }
        };
        if scan.incarnation > self.manifest.incarnation {
            let what = "the log was written later than the manifest".to_owned();
            return Err(OpenError::Foreign { path: file.path.clone(), what });
        }
        scan.prove(self.manifest.durable_floor);
        if !self.report.is_degraded {
            self.make_durable(file, &header, &scan, torn_end)
                .map_err(OpenError::io(file.path.clone(), "cannot make the end of the log durable"))?;
        }
        Ok((header, scan))
    }

    /// Judges what stands at the scan's offset: `Some` ends the walk, with the end of what is to be zeroed.
    fn judge_end<D: Disk>(
        &mut self,
        file: &SegmentFile<D>,
        header: &SegmentHeader,
        scan: &mut TailScan,
        source: &mut BatchSource<'_, Window<'_, D::File>>,
        why: NotABatch,
    ) -> Option<Option<u64>> {
        let beyond = self.beyond.iter().map(|beyond| beyond.evidence).max().unwrap_or_default();
        let doubt = Doubt {
            unsynced_bytes_max: header.unsynced_bytes_max,
            evidence: self.manifest.durable_floor.max(beyond),
            reach: u64::MAX,
            incarnation: self.manifest.incarnation,
        };
        let (offset, position) = (scan.offset, scan.position);
        match judge(scan, source, &doubt) {
            Verdict::NoEventsLost(next) => {
                let what = "a mark, which holds no events, is damaged or was never written".to_owned();
                self.damage(file.path.clone(), offset, position..position, what);
                scan.resume_at(&next);
                None
            }
            Verdict::Torn { nonzero_end } => {
                self.report.torn_bytes = nonzero_end.map_or(0, |end| end - offset);
                self.report.ambiguous_tail |= nonzero_end.is_some();
                Some(nonzero_end)
            }
            Verdict::Corrupt { next, evidence, what } => {
                self.report.is_degraded = true;
                let until = next.map_or(evidence.max(position), |next| next.header.base);
                let what = match why {
                    NotABatch::Invalid(why) => format!("{what} ({why})"),
                    NotABatch::Unwritten => what,
                };
                self.damage(file.path.clone(), offset, position..until, what);
                match next {
                    Some(next) => {
                        scan.resume_at(&next);
                        None
                    }
                    None => {
                        scan.position = until;
                        scan.prove(evidence);
                        Some(None)
                    }
                }
            }
        }
    }

    /// Zeros over a torn tail, the same bytes once more over what no evidence covers, and a sync.
    fn make_durable<D: Disk>(
        &mut self,
        file: &SegmentFile<D>,
        header: &SegmentHeader,
        scan: &TailScan,
        torn_end: Option<u64>,
    ) -> io::Result<()> {
        const PIECE: u64 = 1 << 20;
        if let Some(torn_end) = torn_end {
            fill_with_zeros(&file.file, scan.offset, torn_end)?;
        }
        // A seal proves what is before it, and nothing proves the seal: it may be in a page that a reader keeps in memory.
        let seal_offset = scan.seal.as_ref().map_or(scan.offset, |seal| seal.written_bytes);
        let mut at = scan.unproven_offset().min(seal_offset);
        self.report.rewritten_bytes = scan.offset - at;
        if at == HEADER_PAGE_BYTES as u64 {
            // The header page was written together with the first batch, and a power cut may have taken one of its copies.
            file.file.write_at(&header.encode(), 0)?;
            self.report.rewritten_bytes += at;
        }
        let mut piece = Vec::new();
        while at < scan.offset {
            let length = PIECE.min(scan.offset - at);
            piece.resize(usize::try_from(length).expect("a piece is small"), 0);
            file.file.read_at(&mut piece, at)?;
            file.file.write_at(&piece, at)?;
            at += length;
        }
        if torn_end.is_some() || self.report.rewritten_bytes > 0 { file.file.sync_data() } else { Ok(()) }
    }

    /// Whether the files after the tail may be what a roll or the keeper left there: the spare that a roll was about to open,
    /// or whose first batch was not synced yet, and the one that the keeper makes meanwhile.
    fn judge_beyond<D: Disk>(
        &mut self,
        files: &[SegmentFile<D>],
        next_number: u64,
        end: Position,
        is_sealed: bool,
        has_tail: bool,
        directory: &str,
    ) {
        let evidence = self.manifest.durable_floor.max(end);
        for ((file, beyond), number) in files.iter().zip(self.beyond.clone()).zip(next_number..) {
            // While the first batches of a segment wait for their sync, the keeper makes the spare after it. Nothing was
            // written there yet.
            let is_next_spare = number == next_number + 1 && beyond.nonzero_end == 0;
            let what = if file.number != number || !(number == next_number || is_next_spare) {
                "a segment before this file is missing"
            } else if file.length < HEADER_PAGE_BYTES as u64 {
                "the file is shorter than any segment"
            } else if beyond.evidence > end {
                "the header of the segment is damaged in both copies"
            } else if beyond.unreadable && is_sealed {
                "the disk cannot read the file"
            } else {
                continue;
            };
            self.report.is_degraded = true;
            self.damage(file.path.clone(), 0, end..evidence.max(beyond.evidence), what.to_owned());
        }
        let is_missing = is_sealed && has_tail && files.is_empty();
        if is_missing || (!self.report.is_degraded && self.manifest.durable_floor > end) {
            self.report.is_degraded = true;
            let what = format!("the segment file with number {next_number} is missing or empty");
            self.damage(directory.to_owned(), 0, end..evidence, what);
        }
    }

    /// Zeros what an interrupted roll left in the spare.
    fn clean_beyond<D: Disk>(&mut self, files: &[SegmentFile<D>]) -> Result<(), OpenError> {
        for (file, beyond) in files.iter().zip(&self.beyond) {
            if beyond.nonzero_end > 0 {
                self.report.torn_bytes += beyond.nonzero_end;
                self.report.ambiguous_tail = true;
                fill_with_zeros(&file.file, 0, beyond.nonzero_end)
                    .and_then(|()| file.file.sync_data())
                    .map_err(OpenError::io(file.path.clone(), "cannot clean the spare segment"))?;
            }
        }
        Ok(())
    }

    fn begin_life<D: Disk>(&mut self, disk: &D, end: Position, closed_cleanly: bool) -> Result<(), OpenError> {
        self.report.closed_cleanly = closed_cleanly;
        self.manifest.begin_life(end, !closed_cleanly);
        self.manifest.store(disk).map_err(OpenError::io(disk.describe(MANIFESTS[0]), "cannot write the manifest"))?;
        self.report.incarnation = self.manifest.incarnation;
        Ok(())
    }

    /// How far a degraded log is proven to reach.
    fn evidence_of(&self, tail: Option<&(SegmentHeader, TailScan)>) -> Position {
        let beyond = self.beyond.iter().map(|beyond| beyond.evidence).max().unwrap_or_default();
        let tail = tail.map_or(Position::START, |(_, scan)| scan.durable);
        tail.max(beyond).max(self.manifest.durable_floor)
    }

    fn damage(&mut self, file: String, offset: u64, positions: std::ops::Range<Position>, what: String) {
        self.report.damage.push(Damage { file, offset, positions, what });
    }
}

/// Makes the disk show what it holds, and not what a dead process left in the cache, before anything is read of the files
/// that may hold the log's end: those behind the last segment that was begun, and that one. A segment is begun only after all
/// before it was synced.
fn settle_end<D: Disk>(disk: &D, names: &[String]) -> Result<(), OpenError> {
    let mut segments: Vec<&String> = names.iter().filter(|name| parse_segment_name(name).is_some()).collect();
    segments.sort_unstable();
    for name in segments.iter().rev() {
        let failed = |what| OpenError::io(disk.describe(name), what);
        let file = disk.open(name, Access::Write).map_err(failed("cannot open the segment"))?;
        file.sync_data().map_err(failed("cannot sync the segment"))?;
        file.drop_cache().map_err(failed("cannot drop the cache of the segment"))?;
        if read_header(&file).is_ok() {
            break;
        }
    }
    Ok(())
}

fn as_segment<D: Disk>(
    file: SegmentFile<D>,
    header: &SegmentHeader,
    tail: Option<&(SegmentHeader, TailScan)>,
) -> Arc<Segment<D>> {
    let scan = tail.filter(|(tail, _)| tail.number == file.number).map(|(_, scan)| scan);
    let published = scan.filter(|scan| scan.seal.is_none()).map_or(file.length, |scan| scan.offset);
    let segment = Segment::new(file.number, header.base, file.path, file.file, published);
    if let Some(seal) = scan.and_then(|scan| scan.seal) {
        segment.sealed_with(seal.fingerprint());
    }
    Arc::new(segment)
}
