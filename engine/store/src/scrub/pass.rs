//! One round over everything that is sealed, a stretch at a time.

use super::ledger::SegmentDamage;
use super::status::PassProgress;
use crate::disk::{Disk, DiskFile};
use crate::index::{Index, Inspection, segment_of};
use crate::log::{Bytes, Checked, Log, Segment, SegmentCheck, Window};
use crate::sync::atomic::{AtomicBool, Ordering};
use gesta_model::Position;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A round that is under way.
pub(super) struct Pass<D: Disk> {
    targets: VecDeque<Target>,
    at: Option<Looking<D>>,
    /// Bytes of the files that are behind.
    bytes_done: u64,
    bytes_total: u64,
}

/// What is to be looked at.
enum Target {
    Segment(u64),
    Part(u64),
    Summary(u64, u64),
}

/// What is being looked at.
enum Looking<D: Disk> {
    Segment(SegmentLook<D>),
    File(Inspection<D>),
}

struct SegmentLook<D: Disk> {
    segment: Arc<Segment<D>>,
    check: SegmentCheck,
    /// How far it has come.
    offset: u64,
    /// The cache was asked to let go of everything before it.
    dropped: u64,
    damage: SegmentDamage,
}

/// What one step came upon.
pub(super) enum Outcome {
    /// Nothing that there is anything to tell of yet.
    GoesOn,
    /// A segment was looked at as a whole.
    Segment(u64, SegmentDamage),
    /// An index file is damaged.
    IndexFile { file: String, what: String },
    /// Everything was looked at.
    Over,
}

/// Where a step reads, and what may cut it short.
pub(super) struct Ground<'s, D: Disk> {
    pub(super) log: &'s Log<D>,
    pub(super) index: &'s Index<D>,
    pub(super) ends: &'s AtomicBool,
}

/// The system is asked to let go of what was read whenever it is as much as this.
const CACHE_BYTES_MAX: u64 = 16 << 20;

impl<D: Disk> Pass<D> {
    /// A round that begins at a segment drawn by lot, and goes on from the first after the last: so a store that is never open
    /// for as long as a pass takes has each of its segments looked at sooner or later.
    pub(super) fn begin(ground: &Ground<'_, D>, lot: u64) -> Self {
        let segments = ground.log.segments.load();
        let mut sealed: Vec<_> = segments.list.iter().filter(|segment| segment.seal().is_some()).collect();
        if !sealed.is_empty() {
            let first = lot % sealed.len() as u64;
            sealed.rotate_left(usize::try_from(first).expect("an ordinal of a list"));
        }
        let mut targets: VecDeque<Target> =
            sealed.iter().flat_map(|segment| [Target::Segment(segment.number), Target::Part(segment.number)]).collect();
        targets.extend(ground.index.summed_up().into_iter().map(|(first, last)| Target::Summary(first, last)));
        let segment_bytes: u64 = sealed.iter().map(|segment| segment.published_bytes()).sum();
        Self { targets, at: None, bytes_done: 0, bytes_total: segment_bytes + ground.index.file_bytes() }
    }

    /// How far it has come.
    pub(super) fn progress(&self) -> PassProgress {
        let (file, offset) = match &self.at {
            None => (String::new(), 0),
            Some(Looking::Segment(look)) => (look.segment.path.clone(), look.offset),
            Some(Looking::File(inspection)) => (inspection.name().to_owned(), inspection.read_bytes()),
        };
        // Index files may be made or made anew meanwhile.
        let bytes_total = self.bytes_total.max(self.bytes_done + offset);
        PassProgress { bytes_done: self.bytes_done + offset, bytes_total, file }
    }

    /// Reads about `stretch` bytes, through a buffer that is kept; tells how many were read, and what was come upon.
    pub(super) fn step(&mut self, ground: &Ground<'_, D>, stretch: u64, buffer: &mut Vec<u8>) -> (u64, Outcome) {
        match self.at.take().or_else(|| self.next_target(ground)) {
            None => (0, Outcome::Over),
            Some(Looking::Segment(look)) => self.read_segment(look, ground, stretch, buffer),
            Some(Looking::File(inspection)) => self.read_file(inspection, stretch),
        }
    }

    /// The next file that is still there to be looked at.
    fn next_target(&mut self, ground: &Ground<'_, D>) -> Option<Looking<D>> {
        while let Some(target) = self.targets.pop_front() {
            let looking = match target {
                Target::Segment(number) => SegmentLook::at(ground.log, number).map(Looking::Segment),
                Target::Part(number) => ground.index.inspect_part(number).map(Looking::File),
                Target::Summary(first, last) => ground.index.inspect_summary((first, last)).map(Looking::File),
            };
            if looking.is_some() {
                return looking;
            }
        }
        None
    }

    fn read_segment(
        &mut self,
        mut look: SegmentLook<D>,
        ground: &Ground<'_, D>,
        stretch: u64,
        buffer: &mut Vec<u8>,
    ) -> (u64, Outcome) {
        let (read_bytes, is_over) = look.read_on(ground, stretch, buffer);
        if !is_over {
            self.at = Some(Looking::Segment(look));
            return (read_bytes, Outcome::GoesOn);
        }
        self.bytes_done += look.segment.published_bytes();
        (read_bytes, Outcome::Segment(look.segment.number, look.damage))
    }

    fn read_file(&mut self, mut inspection: Inspection<D>, stretch: u64) -> (u64, Outcome) {
        let before = inspection.read_bytes();
        let found = inspection.read_on(stretch);
        let read_bytes = inspection.read_bytes() - before;
        if found.is_ok() && !inspection.is_over() {
            self.at = Some(Looking::File(inspection));
            return (read_bytes, Outcome::GoesOn);
        }
        self.bytes_done += inspection.file_bytes();
        let outcome = match found {
            Ok(()) => Outcome::GoesOn,
            Err(what) => Outcome::IndexFile { file: inspection.name().to_owned(), what },
        };
        (read_bytes, outcome)
    }
}

impl<D: Disk> SegmentLook<D> {
    /// The look at a sealed segment; `None` while nobody can say yet where its positions end.
    fn at(log: &Log<D>, number: u64) -> Option<Self> {
        let segment = segment_of(log, number)?;
        let end = end_of(log, number)?;
        let check = SegmentCheck::new(&segment, end, false);
        drop_cache(&segment);
        Some(Self { segment, check, offset: 0, dropped: 0, damage: SegmentDamage::default() })
    }

    /// Reads on; tells how many bytes were read, and whether that was the end.
    fn read_on(&mut self, ground: &Ground<'_, D>, stretch: u64, buffer: &mut Vec<u8>) -> (u64, bool) {
        let piece_bytes = usize::try_from(stretch).unwrap_or(usize::MAX);
        let window = match Window::of_pieces(&self.segment.file, piece_bytes, std::mem::take(buffer)) {
            Ok(window) => window,
            Err(_) => {
                self.damage.add(self.check.unreadable(&self.segment));
                return (0, true);
            }
        };
        let (damage, offset) = (&mut self.damage, &mut self.offset);
        let mut tell = |checked: Checked<'_>, reached| {
            *offset = reached;
            if let Checked::Damage(found) = checked {
                damage.add(found);
            }
            ControlFlow::Continue(())
        };
        let bytes = Interruptible { window, ends: ground.ends };
        let (bytes, is_over) = self.check.read_on(ground.log, &self.segment, bytes, stretch, &mut tell);
        let read_bytes;
        (*buffer, read_bytes) = bytes.window.into_buffer();
        if is_over || self.offset - self.dropped >= CACHE_BYTES_MAX {
            drop_cache(&self.segment);
            self.dropped = self.offset;
        }
        (read_bytes, is_over)
    }
}

/// Where the positions of a sealed segment end: where the next one begins.
fn end_of<D: Disk>(log: &Log<D>, number: u64) -> Option<Position> {
    let segments = log.segments.load();
    let ordinal = segments.list.iter().position(|segment| segment.number == number)?;
    segments.list.get(ordinal + 1).map(|next| next.base)
}

/// Pages that nobody looks at in place go, those that a reader uses stay.
fn drop_cache<D: Disk>(segment: &Segment<D>) {
    // A hint that is not taken costs memory.
    let _ = segment.file.drop_cache();
}

/// Bytes that can be read until the scrub is to end: looking for the next whole batch behind damage may take a while.
struct Interruptible<'s, F> {
    window: Window<'s, F>,
    ends: &'s AtomicBool,
}

impl<F: DiskFile> Bytes for Interruptible<'_, F> {
    fn length(&self) -> u64 {
        self.window.length()
    }

    fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        // Relaxed: nothing is handed over with it; what is read in vain is forgotten.
        if self.ends.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.window.bytes(offset, length)
    }
}
