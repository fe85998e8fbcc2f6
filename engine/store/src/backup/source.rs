//! What there is to back up in a store, as of one moment.

use super::entry::{Entry, Kind};
use super::error::BackupError;
use crate::disk::{Access, Disk, DiskFile};
use crate::log::{
    Log, Segment, SegmentWalk, Step, Window, index_name, parse_index_name, parse_segment_name, parse_summary_name,
    summary_name,
};
use crate::read::Reader;
use gesta_model::Position;
use gesta_model::codec::HEADER_PAGE_BYTES;
use std::io;
use std::sync::Arc;

/// A file of the store, as it is to stand in the backup. Its digest is not known yet.
pub(super) struct Wanted<D: Disk> {
    pub(super) entry: Entry,
    /// The segment, of a segment or the tail; an index file is opened by its name.
    segment: Option<Arc<Segment<D>>>,
}

impl<D: Disk> Wanted<D> {
    /// Does something with the file in the store.
    pub(super) fn with_file<T>(&self, disk: &D, act: impl FnOnce(&D::File) -> io::Result<T>) -> io::Result<T> {
        match &self.segment {
            Some(segment) => act(&segment.file),
            None => act(&disk.open(&self.entry.store_name(), Access::Read)?),
        }
    }
}

/// A store as of the moment when its head was taken.
pub(super) struct Source<D: Disk> {
    pub(super) disk: D,
    pub(super) path: String,
    pub(super) log: Arc<Log<D>>,
    /// Everything below it is durable, and in the backup.
    pub(super) head: Position,
    /// In the order of the log: sealed segments, the tail, then index files.
    pub(super) wanted: Vec<Wanted<D>>,
}

impl<D: Disk> Source<D> {
    pub(super) fn of(reader: &Reader<D>) -> Result<Self, BackupError> {
        let library = reader.library();
        // The head before the segments: every position below it then lies in one of them.
        let head = reader.head();
        let log = Arc::clone(&library.log);
        let mut source = Self { disk: library.disk.clone(), path: library.path.clone(), log, head, wanted: Vec::new() };
        source.find_segments()?;
        source.find_index_files()?;
        Ok(source)
    }

    /// The segments that begin below the head: all but the last of them are sealed.
    fn find_segments(&mut self) -> Result<(), BackupError> {
        let segments = self.log.segments.load();
        let list: Vec<_> = segments.list.iter().filter(|segment| segment.base < self.head).collect();
        for pair in list.windows(2) {
            let [segment, next] = pair else { continue };
            let length = segment.file.len();
            let length = length.map_err(BackupError::io(segment.path.clone(), "cannot ask the segment's length"))?;
            // Over a gap, the header that follows speaks of the seal of a segment that is missing.
            let seal = segment.seal().filter(|_| next.number == segment.number + 1).unwrap_or_default();
            self.want(Kind::Segment, (segment.number, segment.number), (length, seal), Some(segment));
        }
        if let Some(tail) = list.last() {
            let length = self.tail_end(tail)?;
            self.want(Kind::Tail, (tail.number, tail.number), (length, 0), Some(tail));
        }
        Ok(())
    }

    /// The end of the last batch with events below the head. A mark after it is not synced: the store may yet lose it.
    fn tail_end(&self, tail: &Segment<D>) -> Result<u64, BackupError> {
        let failed = BackupError::io(tail.path.clone(), "cannot read the segment");
        let window = Window::new(&tail.file).map_err(failed)?;
        let start = (HEADER_PAGE_BYTES as u64, tail.base);
        let mut end = start.0;
        let mut walk = SegmentWalk::new(window, &self.log.origin, &tail.path, start, self.head);
        while let Some(step) = walk.next() {
            match step {
                Step::Batch(found) if found.header.count > 0 && found.header.end() <= self.head => {
                    end = found.end_offset();
                }
                // What the damage is, the walk over the finished backup tells.
                Step::Batch(_) | Step::Damage(_) => {}
            }
        }
        Ok(end)
    }

    /// The index files of sealed segments. Nothing depends on them; restored without, a store makes them anew.
    fn find_index_files(&mut self) -> Result<(), BackupError> {
        let names = self.disk.list().map_err(BackupError::io(self.path.clone(), "cannot list the directory"))?;
        let sealed: Vec<(u64, u128)> = self.sealed().map(|entry| (entry.first, entry.seal)).collect();
        let seal_of = |number: u64| sealed.iter().find(|(sealed, _)| *sealed == number).map(|(_, seal)| *seal);
        let mut found: Vec<(Kind, u64, u64, u128)> = Vec::new();
        for name in &names {
            if let Some((number, 0)) = parse_index_name(name)
                && let Some(seal) = seal_of(number)
            {
                found.push((Kind::Index, number, number, seal));
            } else if let Some((first, last)) = parse_summary_name(name)
                && let Some(seal) = seal_of(last)
            {
                found.push((Kind::Summary, first, last, seal));
            }
        }
        found.sort_unstable_by_key(|(kind, first, last, _)| (*kind as u32, *first, *last));
        for (kind, first, last, seal) in found {
            let name = if kind == Kind::Index { index_name(first, 0) } else { summary_name(first, last) };
            match self.disk.open(&name, Access::Read).and_then(|file| file.len()) {
                Ok(length) => self.want(kind, (first, last), (length, seal), None),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(BackupError::io(self.disk.describe(&name), "cannot open the file")(error)),
            }
        }
        Ok(())
    }

    fn sealed(&self) -> impl Iterator<Item = &Entry> {
        self.wanted.iter().map(|wanted| &wanted.entry).filter(|entry| entry.kind == Kind::Segment)
    }

    fn want(
        &mut self,
        kind: Kind,
        (first, last): (u64, u64),
        (length, seal): (u64, u128),
        segment: Option<&Arc<Segment<D>>>,
    ) {
        let name = segment.and_then(|segment| segment.path.rsplit('/').next());
        let generation = name.and_then(parse_segment_name).map_or(0, |(_, generation)| generation);
        let entry = Entry { kind, generation, first, last, length, digest: 0, seal };
        self.wanted.push(Wanted { entry, segment: segment.cloned() });
    }
}
