//! A store that is open for writing.

use crate::append::{Appender, CloseError, Ticket};
use crate::disk::{Disk, RealDisk};
use crate::log::{Manifest, RecoveryReport};
use crate::read::{Cursor, Reader, Subscription};
use crate::sabotage::{Bug, has};
use crate::scrub::ScrubStatus;
use crate::sync::Mutex;
use crate::sync::thread::JoinHandle;
use gesta_model::{
    AppendError, AppendRequest, EncodedRequest, Incarnation, Limits, Position, Read, Receipt, Snapshot, SnapshotError,
    Uuid,
};
use std::sync::Arc;
use std::time::Duration;

/// An event store, open for writing by this process alone.
///
/// Share it between threads by reference or in an `Arc`. Dropping it closes it; [`Store::close`] tells whether that went
/// well.
pub struct Store<D: Disk = RealDisk> {
    pub(super) disk: D,
    pub(super) appender: Arc<Appender<D>>,
    pub(super) reader: Reader<D>,
    pub(super) manifest: Manifest,
    pub(super) report: RecoveryReport,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<D: Disk> Store<D> {
    /// Appends events and waits for the durability that the request asks for.
    pub fn append(&self, request: AppendRequest) -> Result<Receipt, AppendError> {
        self.appender.append(request)
    }

    /// Appends events without waiting: the ticket has the outcome, now or later.
    ///
    /// Waits only for room, when as much is under way as the options allow.
    pub fn submit(&self, request: AppendRequest) -> Result<Ticket<D>, AppendError> {
        self.appender.submit(request)
    }

    /// Appends a request that was encoded elsewhere, without waiting, as [`Store::submit`] does.
    pub fn submit_encoded(&self, request: EncodedRequest) -> Result<Ticket<D>, AppendError> {
        self.appender.submit_encoded(request)
    }

    /// Whether a request of so many bytes would be taken right now, without waiting for room.
    #[must_use]
    pub fn has_room(&self, bytes: usize) -> bool {
        self.appender.has_room(bytes)
    }

    /// What the store takes.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.appender.limits()
    }

    /// The life of the log that this opening began.
    #[must_use]
    pub fn incarnation(&self) -> Incarnation {
        self.appender.incarnation()
    }

    /// The name that the store was given when it was made, which copies of it keep.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.manifest.store_id
    }

    /// Makes everything that was appended so far durable.
    pub fn sync(&self) -> Result<(), AppendError> {
        self.appender.sync()
    }

    /// A reader of this store.
    #[must_use]
    pub fn reader(&self) -> Reader<D> {
        self.reader.clone()
    }

    /// Reads events up to the head as of now.
    ///
    /// A read that asks for unsynced events sees everything that was appended before the call.
    #[must_use]
    pub fn read(&self, read: Read) -> Cursor<D> {
        if read.sees_unsynced {
            // A writer that cannot flush is poisoned; what it wrote can be read all the same.
            let _ = self.appender.flush();
        }
        self.reader.read(read)
    }

    /// Reads events, and goes on with those that are appended later.
    #[must_use]
    pub fn subscribe(&self, read: Read) -> Subscription<D> {
        self.reader.subscribe(read)
    }

    /// Keeps a snapshot for [`Reader::load`], for as long as there is room; a later one of its key and schema that is kept stays.
    pub fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        self.reader.save_snapshot(snapshot)
    }

    /// Drops all snapshots whose keys begin with `prefix`, for good; returns how many.
    pub fn drop_snapshots(&self, prefix: &str) -> Result<u64, SnapshotError> {
        self.reader.drop_snapshots(prefix)
    }

    /// What opening the store found.
    #[must_use]
    pub fn recovery(&self) -> &RecoveryReport {
        &self.report
    }

    /// Whether a position that was given out in a life of the log was lost with the unsynced end of it.
    ///
    /// Receipts of a durability below `Durable` can speak of such positions after a power cut; the position may stand
    /// for another event now.
    #[must_use]
    pub fn is_lost(&self, given_in: Incarnation, position: Position) -> bool {
        self.manifest.origin.is_lost(given_in, position)
    }

    /// Makes all index files anew from the log, while appends and reads go on; `progress` is told how many of how many sealed
    /// segments are done. Nothing depends on this: what is damaged is made anew by itself.
    pub fn rebuild_index(&self, progress: &mut dyn FnMut(u64, u64)) -> std::io::Result<()> {
        self.appender.rebuild_index(progress)
    }

    /// States in the log what is durable, as an idle store does by itself after a moment.
    pub fn mark(&self) {
        self.appender.mark();
    }

    /// What the scrub has done and found; `None` where the options ask for none, or the store is degraded.
    #[must_use]
    pub fn scrub(&self) -> Option<ScrubStatus> {
        self.reader.scrub()
    }

    /// Does what is due of the scrub, as the thread of the store does by itself; says how long it is until there is more to do, if
    /// the store scrubs at all. For stores without threads.
    pub fn scrub_on(&self) -> Option<Duration> {
        self.appender.scrub_on()
    }

    /// Makes everything durable, ends the log with a mark and lets the next writer in.
    ///
    /// After an error the next writer comes in once the readers, cursors and subscriptions of this store have gone.
    pub fn close(self) -> Result<(), CloseError> {
        self.shut()
    }

    /// Closes the store as [`Store::close`] does, while others still have it: what they append is answered with
    /// [`AppendError::Closed`], and what they read goes on.
    pub fn shut(&self) -> Result<(), CloseError> {
        let threads = std::mem::take(&mut *self.threads.lock());
        self.reader.close_snapshots();
        self.reader.close_board();
        let outcome = self.appender.close(threads);
        // After a failure, readers may still look at bytes that a new writer would cut: it comes in when they are gone.
        outcome?;
        let Some(lock) = self.reader.take_lock() else { return Ok(()) };
        let noted = self.note_end();
        drop(lock);
        noted.map_err(|error| CloseError { cause: Arc::new(error) })
    }

    /// Notes in the manifest how far the log reaches, so that a store which was closed cleanly notices later when any part
    /// of its end is gone.
    fn note_end(&self) -> std::io::Result<()> {
        let end = self.reader.head();
        if self.report.is_degraded || end == self.manifest.durable_floor || has(Bug::ForgetEnd) {
            return Ok(());
        }
        let mut manifest = self.manifest.clone();
        manifest.durable_floor = end;
        manifest.store(&self.disk)
    }
}

impl<D: Disk> Drop for Store<D> {
    fn drop(&mut self) {
        // The outcome is told by `close`; what was acknowledged is safe either way.
        let _ = self.shut();
    }
}
