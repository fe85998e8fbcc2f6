//! Where reads begin.

use super::batches::Batches;
use super::cursor::Cursor;
use super::statistics::Statistics;
use super::subscription::Subscription;
use super::sweep::Sweep;
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::index::{Following, Index, Kind};
use crate::log::{Log, ObservedLog, OpenError};
use crate::projections::Board;
use crate::scrub::{Ledger, ScrubStatus};
use crate::snapshots::Snapshots;
use crate::sync::Instant;
use crate::sync::Mutex;
use gesta_model::{Damage, Incarnation, Position, Read, ReadError, Revision, StoredEvent, StreamName, Uuid};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What all readers of a store share.
pub(crate) struct Library<D: Disk> {
    /// The store, as a person finds it.
    pub(crate) path: String,
    pub(crate) disk: D,
    pub(crate) log: Arc<Log<D>>,
    pub(crate) index: Arc<Index<D>>,
    /// The life of the log that the writer of this process began.
    pub(crate) incarnation: Incarnation,
    pub(crate) observed: Option<Observation<D>>,
    pub(crate) scrubbed: Option<Arc<Ledger>>,
    pub(crate) snapshots: Snapshots<D>,
    pub(crate) board: Board<D>,
    /// Keeps the next writer out as long as a reader of this one may look at bytes that its recovery could cut: until the
    /// store was closed cleanly, or everybody who reads has gone. `None` in a reader beside another process's writer.
    pub(crate) lock: Mutex<Option<D::Lock>>,
}

impl<D: Disk> Library<D> {
    /// The life of the log in which positions are given out now.
    pub(super) fn incarnation(&self) -> Incarnation {
        self.observed.as_ref().map_or(self.incarnation, |observed| observed.log.incarnation())
    }

    /// The end of another process's log, when the segment that holds it is missing.
    pub(super) fn missing_end(&self) -> Option<Damage> {
        self.observed.as_ref().and_then(|observed| observed.log.missing_end())
    }
}

/// Another process's log, and how far its index follows it.
pub(crate) struct Observation<D: Disk> {
    log: ObservedLog<D>,
    following: Mutex<Following>,
}

/// Reads a store: cheap to clone, safe to share, never in the way of appends.
pub struct Reader<D: Disk = RealDisk> {
    library: Arc<Library<D>>,
}

impl<D: Disk> Clone for Reader<D> {
    fn clone(&self) -> Self {
        Self { library: Arc::clone(&self.library) }
    }
}

impl Reader<RealDisk> {
    /// Opens a store for reading only: without its lock, beside a writer, changing nothing.
    ///
    /// Shows what is proven durable. Call [`Reader::refresh`] to see what was written since.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let disk = RealDisk::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                OpenError::NotFound { path: path.display().to_string() }
            }
            _ => OpenError::Io { path: path.display().to_string(), what: "cannot open the directory", error },
        })?;
        Self::open_on(disk)
    }
}

impl<D: Disk> Reader<D> {
    /// Opens the store on a disk for reading only.
    pub fn open_on(disk: D) -> Result<Self, OpenError> {
        let path = disk.describe("");
        let observed = ObservedLog::open(disk.clone())?;
        let log = Arc::clone(&observed.log);
        let store = (log.store_id, log.origin.key);
        let board = Board::watching(disk.clone(), store);
        let snapshots = Snapshots::watching(disk.clone(), store);
        let index = Arc::new(Index::new(Arc::clone(&log), observed.indexes_event_ids()));
        let observed = Some(Observation { log: observed, following: Mutex::default() });
        let incarnation = Incarnation::default();
        let reader = Self::new(Library {
            path,
            disk,
            log,
            index,
            incarnation,
            observed,
            scrubbed: None,
            snapshots,
            board,
            lock: Mutex::new(None),
        });
        reader.follow();
        Ok(reader)
    }

    pub(crate) fn new(library: Library<D>) -> Self {
        Self { library: Arc::new(library) }
    }

    /// The name that the store was given when it was made, which copies of it keep.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.library.log.store_id
    }

    /// The first position not yet readable.
    #[must_use]
    pub fn head(&self) -> Position {
        self.library.log.watermarks.readable()
    }

    /// Waits until something at or beyond a position can be read, or the timeout has come, and returns the head.
    ///
    /// For readers beside a writer of the same process; others [`refresh`](Reader::refresh).
    pub fn wait_beyond(&self, position: Position, timeout: Duration) -> Position {
        self.library.log.watermarks.wait_beyond(position, Instant::now().checked_add(timeout));
        self.head()
    }

    /// The batches that hold a range of positions, whole, as they travel.
    #[must_use]
    pub fn batches(&self, positions: Range<Position>) -> Batches<D> {
        let positions = positions.start..positions.end.min(self.head());
        Batches::new(Sweep::new(self.share_library(), positions, false))
    }

    /// The last revision of a stream; `None` when it has no readable events.
    pub fn stream_revision(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        let key = self.library.index.stream_key(stream.as_str());
        let head = self.library.index.head_of(key, self.head()).map_err(ReadError::Damaged)?;
        Ok(head.map(|head| head.revision))
    }

    /// The event with an id, the last one where several have it; `None` when there is none.
    ///
    /// Only a store that was made with [`Options::index_event_ids`](crate::Options::index_event_ids) can tell.
    pub fn event(&self, id: Uuid) -> Result<Option<StoredEvent>, ReadError> {
        let index = &self.library.index;
        if !index.keyring.has_event_ids() {
            return Err(ReadError::NoEventIds);
        }
        let (key, head) = (index.keyring.key(Kind::Event, id.as_bytes()), self.head());
        let found = index.last_with(key, Position::START..head).map_err(ReadError::Damaged)?;
        let Some(position) = found else { return Ok(None) };
        let (event, recorded_at) = index.fetch(position, head).map_err(ReadError::Damaged)?;
        Ok(Some(StoredEvent::new(&event.record(), recorded_at)))
    }

    /// Reads events up to the head as of now.
    #[must_use]
    pub fn read(&self, read: Read) -> Cursor<D> {
        Cursor::new(Arc::clone(&self.library), read)
    }

    /// Reads events, and goes on with those that are appended later. The direction is always forward, and what is shown
    /// is durable.
    #[must_use]
    pub fn subscribe(&self, read: Read) -> Subscription<D> {
        Subscription::new(self.clone(), read)
    }

    /// Looks again at what another process wrote. A reader beside a writer of the same process need not.
    ///
    /// Names damage that was found in what is new.
    pub fn refresh(&self) -> Result<Vec<Damage>, OpenError> {
        let Some(observed) = &self.library.observed else { return Ok(Vec::new()) };
        observed.log.refresh()?;
        Ok(self.follow())
    }

    /// Lets the index follow another process's log.
    fn follow(&self) -> Vec<Damage> {
        let observed = self.library.observed.as_ref();
        observed.map_or_else(Vec::new, |observed| {
            self.library.index.follow(observed.log.disk(), &mut observed.following.lock())
        })
    }

    /// What can be told of the store without reading its events.
    pub fn statistics(&self) -> Result<Statistics, ReadError> {
        let segments = self.library.log.segments.load();
        let mut log_bytes = 0;
        let mut reserved_bytes = 0;
        for (ordinal, segment) in segments.list.iter().enumerate() {
            let length = segment.file.len().map_err(|error| ReadError::Io { path: segment.path.clone(), error })?;
            let is_tail = ordinal + 1 == segments.list.len();
            let written = if is_tail { segment.published_bytes().min(length) } else { length };
            log_bytes += written;
            reserved_bytes += length - written;
        }
        Ok(Statistics {
            events: self.head().0,
            streams: self.library.index.count(Kind::Stream, self.head()),
            log_bytes,
            index_bytes: self.library.index.file_bytes(),
            snapshot_bytes: self.library.snapshots.bytes(),
            reserved_bytes,
        })
    }

    /// What the scrub of the store has done and found; `None` where this process does not scrub it.
    #[must_use]
    pub fn scrub(&self) -> Option<ScrubStatus> {
        self.library.scrubbed.as_ref().map(|ledger| ledger.status())
    }

    /// Hands out the lock: everything that readers can look at is durable and will never be written again.
    pub(crate) fn take_lock(&self) -> Option<D::Lock> {
        self.library.lock.lock().take()
    }

    pub(crate) fn library(&self) -> &Library<D> {
        &self.library
    }

    pub(super) fn share_library(&self) -> Arc<Library<D>> {
        Arc::clone(&self.library)
    }
}
