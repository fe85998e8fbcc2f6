//! Reading every byte of a store to see whether it is what was written.

use super::reader::Reader;
use crate::disk::{Disk, RealDisk};
use crate::log::{Checked, Found, Log, OpenError, Segment, SegmentCheck, Window};
use gesta_model::{Damage, Position};
use std::convert::Infallible;
use std::ops::ControlFlow;
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
        let mut check = SegmentCheck::new(segment, end, self.deep);
        let Ok(window) = Window::new(&segment.file) else {
            self.report.damage.push(check.unreadable(segment));
            return Ok(());
        };
        let (before, total) = (self.done, self.total);
        let Self { report, visit, .. } = self;
        let mut outcome = Ok(());
        let mut tell = |checked: Checked<'_>, offset: u64| {
            match checked {
                Checked::Batch(found, body) => {
                    report.events += u64::from(found.header.count);
                    outcome = visit(found, body);
                }
                Checked::Damage(damage) => report.damage.push(damage),
            }
            progress((before + offset).min(total), total);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        check.read_on(log, segment, window, u64::MAX, &mut tell);
        outcome?;
        self.done = before + segment.published_bytes();
        progress(self.done, self.total);
        Ok(())
    }

    fn damage(&mut self, file: String, offset: u64, positions: std::ops::Range<Position>, what: &str) {
        self.report.damage.push(Damage { file, offset, positions, what: what.to_owned() });
    }
}
