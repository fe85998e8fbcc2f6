//! Reading every byte of a store to see whether it is what was written.

use super::reader::Reader;
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::log::{Found, Log, OpenError, Segment, SegmentWalk, Step, Window};
use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentHeader, verify_records};
use gesta_model::{Damage, Position};
use std::convert::Infallible;
use std::path::Path;

/// What reading every byte found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Events that are whole.
    pub events: u64,
    /// What is damaged.
    pub damage: Vec<Damage>,
}

/// Reads every batch of a store, without its lock and changing nothing; `deep` also checks each event's place and names.
///
/// `progress` is told how many of how many bytes were read.
pub fn verify(
    path: impl AsRef<Path>,
    deep: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport, OpenError> {
    Reader::open(path).map(|reader: Reader<RealDisk>| reader.verify(deep, progress))
}

impl<D: Disk> Reader<D> {
    /// Reads every batch below the head; `deep` also checks each event's place and names.
    pub fn verify(&self, deep: bool, progress: &mut dyn FnMut(u64, u64)) -> VerifyReport {
        let library = self.library();
        let mut report = verify_log(&library.log, &library.path, self.head(), (0, deep), progress);
        report.damage.extend(library.missing_end());
        report
    }
}

/// Reads every batch below `head`, from the segment with the ordinal `first` on.
pub(crate) fn verify_log<D: Disk>(
    log: &Log<D>,
    path: &str,
    head: Position,
    (first, deep): (usize, bool),
    progress: &mut dyn FnMut(u64, u64),
) -> VerifyReport {
    let Ok(report) = visit_log(log, path, head, (first, deep), progress, |_, _| Ok::<(), Infallible>(()));
    report
}

/// Reads every batch below `head`, from the segment with the ordinal `first` on, and shows each that is whole to `visit`, in
/// order, with its body. An error of it ends the reading.
pub(crate) fn visit_log<D: Disk, E>(
    log: &Log<D>,
    path: &str,
    head: Position,
    (first, deep): (usize, bool),
    progress: &mut dyn FnMut(u64, u64),
    visit: impl FnMut(&Found, &[u8]) -> Result<(), E>,
) -> Result<VerifyReport, E> {
    let segments = log.segments.load();
    let list = segments.list.get(first..).unwrap_or_default();
    let total = list.iter().map(|segment| segment.published_bytes()).sum();
    let position = if first == 0 { Position::START } else { list.first().map_or(head, |segment| segment.base) };
    let mut verification = Verification { deep, done: 0, total, position, report: VerifyReport::default(), visit };
    for (ordinal, segment) in list.iter().enumerate() {
        let end = list.get(ordinal + 1).map_or(head, |next| next.base);
        verification.read_segment(log, segment, end, progress)?;
    }
    if verification.position < head {
        let what = "the end of the log is missing";
        verification.damage(path.to_owned(), 0, verification.position..head, what);
    }
    Ok(verification.report)
}

struct Verification<V> {
    deep: bool,
    done: u64,
    total: u64,
    /// Everything below it was accounted for.
    position: Position,
    report: VerifyReport,
    visit: V,
}

impl<E, V: FnMut(&Found, &[u8]) -> Result<(), E>> Verification<V> {
    fn read_segment<D: Disk>(
        &mut self,
        log: &Log<D>,
        segment: &Segment<D>,
        end: Position,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), E> {
        if segment.base > self.position {
            let what = "the segment before this one is missing, or its end is";
            self.damage(segment.path.clone(), 0, self.position..segment.base, what);
        }
        self.position = end;
        let Ok(window) = Window::new(&segment.file) else {
            self.damage(segment.path.clone(), 0, segment.base..end, "the file cannot be read");
            return Ok(());
        };
        if let Some(what) = damage_of_header(&segment.file) {
            self.damage(segment.path.clone(), 0, segment.base..segment.base, what);
        }
        let start = (HEADER_PAGE_BYTES as u64, segment.base);
        let mut walk = SegmentWalk::new(window, &log.origin, &segment.path, start, end);
        let before = self.done;
        while let Some(step) = walk.next() {
            match step {
                Step::Damage(damage) => self.report.damage.push(damage),
                Step::Batch(found) => match walk.source.verified_body(&found) {
                    Err(why) => self.report.damage.push(walk.damaged_body(&found, why)),
                    Ok(body) => self.accept(&found, body, &segment.path)?,
                },
            }
            self.done = before + walk.offset;
            progress(self.done.min(self.total), self.total);
        }
        self.done = before + segment.published_bytes();
        progress(self.done, self.total);
        Ok(())
    }

    fn accept(&mut self, found: &Found, body: &[u8], path: &str) -> Result<(), E> {
        let is_deep = self.deep && found.header.count > 0;
        match if is_deep { verify_records(&found.header, body) } else { Ok(()) } {
            Ok(()) => {
                self.report.events += u64::from(found.header.count);
                (self.visit)(found, body)
            }
            Err(what) => {
                self.damage(path.to_owned(), found.offset, found.header.positions(), &what.to_string());
                Ok(())
            }
        }
    }

    fn damage(&mut self, file: String, offset: u64, positions: std::ops::Range<Position>, what: &str) {
        self.report.damage.push(Damage { file, offset, positions, what: what.to_owned() });
    }
}

/// What is wrong with the header page, if it is not exactly what its valid copy says.
fn damage_of_header<F: DiskFile>(file: &F) -> Option<&'static str> {
    let mut page = [0; HEADER_PAGE_BYTES];
    match file.read_at(&mut page, 0).map(|()| SegmentHeader::decode(&page)) {
        Ok(Ok(header)) if header.encode() == page => None,
        Ok(Ok(_)) => Some("one of the two copies of the segment's header is damaged"),
        Ok(Err(_)) => Some("both copies of the segment's header are damaged"),
        Err(_) => Some("the segment's header cannot be read"),
    }
}
