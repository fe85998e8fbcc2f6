//! The append side as its callers see it.

use super::close_error::CloseError;
use super::committer::Committer;
use super::sequencer::Staged;
use super::slot::{Outcome, Slot};
use super::staging::{Refusal, SpareState, Staging};
use super::ticket::Ticket;
use crate::disk::Disk;
use crate::index::{Heads, Index, MemoryIndex};
use crate::log::{Group, Log, LogWriter, Spare, next_segment_bytes};
use crate::options::{Options, Upkeep};
use crate::scrub::{Ledger, Scrub};
use crate::sync::Instant;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Condvar, Mutex};
use gesta_model::{AppendError, AppendRequest, Durability, EncodedRequest, Incarnation, Limits};
use std::sync::Arc;

/// Takes requests and makes them part of the log.
pub(crate) struct Appender<D: Disk> {
    pub(super) disk: D,
    pub(super) options: Options,
    pub(super) log: Arc<Log<D>>,
    pub(super) index: Arc<Index<D>>,
    pub(super) scrub: Option<Scrub<D>>,
    pub(super) incarnation: Incarnation,
    /// The sequencer's lock.
    pub(super) staging: Mutex<Staging<D>>,
    /// A commit ended, or a spare is there or cannot be: whoever waits for room looks again.
    pub(super) room_made: Condvar,
    /// There is something for the committing thread.
    pub(super) work: Condvar,
    /// There is something for the keeper.
    pub(super) order: Condvar,
    /// Called only by whoever set `is_committing`.
    pub(super) committer: Mutex<Committer<D>>,
}

impl<D: Disk> Appender<D> {
    /// An appender at the end of a log; `damage` says that durable events are missing, so that nothing is taken.
    pub(crate) fn new(
        disk: D,
        options: Options,
        (log, index): (Arc<Log<D>>, Arc<Index<D>>),
        tail_index: Arc<MemoryIndex>,
        incarnation: Incarnation,
        (writer, spare): (LogWriter<D>, Option<Spare<D>>),
        damage: Option<String>,
    ) -> Self {
        let scrub = Scrub::of(&options, &log, &index).filter(|_| damage.is_none());
        let last_bytes = writer.segment_bytes();
        let bytes = match last_bytes {
            0 => options.first_segment_bytes,
            last => next_segment_bytes(last, options.segment_bytes_max, 0),
        };
        let number = writer.next_number();
        let staging = Staging {
            group: Group::new(writer.position()),
            index: tail_index,
            heads: Heads::default(),
            waiters: Vec::new(),
            wants_sync: false,
            wants_write: false,
            idle_group: None,
            idle_waiters: Vec::new(),
            is_committing: false,
            crowd: None,
            room: writer.room(),
            spare: spare.map_or(SpareState::Ordered { number, bytes }, SpareState::Ready),
            next_number: number,
            next_bytes: bytes,
            refusal: damage.map(Refusal::Degraded),
            cut: None,
            lost_pages: disk.lost_pages(),
            unsynced_since: None,
            last_commit: None,
            is_marked: true,
            committer_rests: false,
            has_sealed: true,
            is_stopping: false,
        };
        Self {
            disk,
            options,
            log,
            index,
            scrub,
            incarnation,
            staging: Mutex::new(staging),
            room_made: Condvar::new(),
            work: Condvar::new(),
            order: Condvar::new(),
            committer: Mutex::new(Committer::new(writer)),
        }
    }

    /// Appends and waits for the durability that the request asks for.
    pub(crate) fn append(&self, request: AppendRequest) -> Outcome {
        match self.stage(self.encode(request)?)? {
            Staged::Answered(receipt) => Ok(receipt),
            Staged::Waits(slot) => self.wait_for(&slot),
        }
    }

    /// Appends without waiting, but for room in memory and on the disk.
    pub(crate) fn submit(self: &Arc<Self>, request: AppendRequest) -> Result<Ticket<D>, AppendError> {
        let request = self.encode(request)?;
        self.submit_encoded(request)
    }

    /// Appends a request that is encoded already, as [`Appender::submit`] does.
    pub(crate) fn submit_encoded(self: &Arc<Self>, request: EncodedRequest) -> Result<Ticket<D>, AppendError> {
        let slot = match self.stage(request)? {
            Staged::Answered(receipt) => Arc::new(Slot::filled(Ok(receipt))),
            Staged::Waits(slot) => {
                self.call_committer();
                slot
            }
        };
        Ok(Ticket::new(slot, Arc::clone(self)))
    }

    /// What the scrub has done and found, if there is one.
    pub(crate) fn scrubbed(&self) -> Option<Arc<Ledger>> {
        self.scrub.as_ref().map(Scrub::ledger)
    }

    /// What is taken.
    pub(crate) fn limits(&self) -> Limits {
        self.options.limits
    }

    /// The life of the log in which positions are given out.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Waits for a staged request, committing its group when nobody else does.
    pub(super) fn wait_for(&self, slot: &Slot) -> Outcome {
        loop {
            if let Some(outcome) = slot.take() {
                return outcome;
            }
            let mut staging = self.staging.lock();
            if staging.is_committing || !staging.is_awaited() {
                drop(staging);
                return slot.wait();
            }
            staging.is_committing = true;
            drop(staging);
            self.commit();
        }
    }

    /// Makes everything that was taken so far durable.
    pub(crate) fn sync(&self) -> Result<(), AppendError> {
        self.append(AppendRequest::new().durability(Durability::Durable)).map(|_| ())
    }

    /// Writes what is buffered, so that readers who ask for unsynced events see it.
    pub(crate) fn flush(&self) -> Result<(), AppendError> {
        self.append(AppendRequest::new().durability(Durability::Written)).map(|_| ())
    }

    /// Takes nothing more, makes everything durable and marks the log as closed. Does so once.
    pub(crate) fn close(&self, threads: Vec<JoinHandle<()>>) -> Result<(), CloseError> {
        let mut staging = self.staging.lock();
        while staging.is_committing {
            self.room_made.wait(&mut staging);
        }
        let refusal = staging.refusal.clone();
        staging.is_stopping = true;
        self.scrub.iter().for_each(Scrub::end);
        if refusal.is_none() {
            staging.refusal = Some(Refusal::Closed);
            staging.wants_sync = true;
            staging.is_committing = true;
        }
        drop(staging);
        self.work.notify_all();
        self.order.notify_all();
        let outcome = match refusal {
            None => self.commit_and_close(),
            Some(Refusal::Poisoned(cause)) => Err(CloseError { cause }),
            Some(Refusal::Degraded(_) | Refusal::Closed) => Ok(()),
        };
        for thread in threads {
            // A thread that panicked has nothing to tell that the outcome does not.
            let _ = thread.join();
        }
        outcome
    }

    /// The threads that commit and keep, if the options ask for them.
    pub(crate) fn start_threads(self: &Arc<Self>) -> std::io::Result<Vec<JoinHandle<()>>> {
        if self.options.upkeep == Upkeep::Inline || self.staging.lock().refusal.is_some() {
            return Ok(Vec::new());
        }
        let spawn = |name: &str, run: fn(&Self)| {
            let appender = Arc::clone(self);
            thread::Builder::new().name(name.to_owned()).spawn(move || run(&appender))
        };
        Ok(vec![spawn("gesta-committer", Self::run_committer)?, spawn("gesta-keeper", Self::run_keeper)?])
    }

    /// Lets the committing thread know that there is something to commit, unless somebody is at it.
    pub(super) fn call_committer(&self) {
        if !self.staging.lock().is_committing {
            self.work.notify_one();
        }
    }

    /// Remembers since when something is not durable.
    pub(super) fn note_unsynced(staging: &mut Staging<D>) {
        staging.unsynced_since.get_or_insert_with(Instant::now);
    }
}
