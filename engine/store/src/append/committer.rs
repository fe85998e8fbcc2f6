//! One group after another into the log: one write, one sync when somebody waits for it, then each waiter its answer.

use super::appender::Appender;
use super::close_error::CloseError;
use super::crowd::{Crowd, Gathering};
use super::sequencer::poisoned;
use super::staging::{SpareState, Staging, Waiter};
use super::watch::{Watch, tell_failure};
use crate::commit_observer::CommitObserver;
use crate::disk::Disk;
use crate::index::{BatchPlace, MemoryIndex, RecordKeys};
use crate::log::{Group, LogWriter, Spare, next_segment_bytes};
use crate::options::{Options, Upkeep};
use crate::sync::Instant;
use crate::sync::MutexGuard;
use crate::sync::thread;
use gesta_model::codec::{HEADERS_BYTES, RecordWalk};
use gesta_model::{AppendError, Durability, Timestamp};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The log's writer, in the hands of whoever commits.
pub(super) struct Committer<D: Disk> {
    writer: LogWriter<D>,
}

impl<D: Disk> Committer<D> {
    pub(super) fn new(writer: LogWriter<D>) -> Self {
        Self { writer }
    }
}

/// A group on its way to the disk.
struct Batch<D: Disk> {
    group: Group,
    /// The index of the segment that the group goes to.
    index: Arc<MemoryIndex>,
    spare: Option<Spare<D>>,
    wants_sync: bool,
    /// How long the sync took.
    sync: Option<Duration>,
}

/// The turn of whoever set `is_committing`. When a panic ends it, the writer is poisoned: nobody waits for ever.
struct Turn<'a, D: Disk> {
    appender: &'a Appender<D>,
    waiters: Vec<Waiter>,
    is_over: bool,
}

impl<'a, D: Disk> Turn<'a, D> {
    fn new(appender: &'a Appender<D>) -> Self {
        Self { appender, waiters: Vec::new(), is_over: false }
    }

    /// Ends the turn as it should; the waiters are still to be answered.
    fn end(mut self) -> Vec<Waiter> {
        self.is_over = true;
        std::mem::take(&mut self.waiters)
    }
}

impl<D: Disk> Drop for Turn<'_, D> {
    fn drop(&mut self) {
        if !self.is_over {
            let cause = io::Error::other("a panic interrupted a commit");
            self.appender.poison(cause, std::mem::take(&mut self.waiters));
        }
    }
}

impl<D: Disk> Appender<D> {
    /// Commits the staged group. The caller has set `is_committing`; it is unset at the end.
    pub(super) fn commit(&self) {
        let mut turn = Turn::new(self);
        self.gather();
        let mut batch = self.take_batch(&mut turn.waiters);
        let has_sealed = batch.spare.is_some();
        let mut committer = self.committer.lock();
        match self.write_batch(&mut committer.writer, &mut batch) {
            Ok(reached) => {
                self.end_commit(&committer.writer, batch, turn.waiters.len(), reached);
                drop(committer);
                let mut waiters = turn.end();
                for waiter in waiters.drain(..) {
                    waiter.slot.fill(self.answer(waiter.verdict, reached));
                }
                self.staging.lock().idle_waiters = waiters;
                if self.index.take_lost() || has_sealed {
                    self.see_to_index();
                }
            }
            Err(error) => {
                drop(committer);
                self.poison(error, turn.end());
            }
        }
    }

    /// Commits what is staged and ends the log with the mark of a clean close.
    pub(super) fn commit_and_close(&self) -> Result<(), CloseError> {
        self.commit();
        let mut committer = self.committer.lock();
        if let Some(super::staging::Refusal::Poisoned(cause)) = self.staging.lock().refusal.clone() {
            return Err(CloseError { cause });
        }
        // What cannot be written is made from the log when the store is opened again.
        let _ = self.index.keep_sealed(&self.disk);
        let now = self.options.environment.now();
        committer.writer.mark(true, now).map_err(|error| {
            tell_failure(self.observer(), &error);
            let cause = Arc::new(error);
            self.staging.lock().refusal = Some(poisoned(&cause));
            CloseError { cause }
        })
    }

    /// Lets the group grow while others who wait for a sync are about to come.
    fn gather(&self) {
        let mut gathering = Gathering::begin();
        loop {
            let staging = self.staging.lock();
            let may_wait = self.options.upkeep == Upkeep::Threads
                && staging.wants_sync
                && !staging.wants_write
                && staging.refusal.is_none();
            let crowd = staging.crowd.filter(|_| may_wait);
            if crowd.is_none_or(|crowd| !gathering.goes_on(&crowd, staging.waiters.len(), Instant::now())) {
                return;
            }
            drop(staging);
            thread::yield_now();
        }
    }

    /// Takes the staged group, and the spare when the group needs it.
    fn take_batch(&self, waiters: &mut Vec<Waiter>) -> Batch<D> {
        let mut staging = self.staging.lock();
        *waiters = std::mem::take(&mut staging.idle_waiters);
        std::mem::swap(waiters, &mut staging.waiters);
        let tail = staging.tail();
        let mut fresh = staging.idle_group.take().unwrap_or_else(|| Group::new(tail));
        fresh.reset(tail, 2 * self.options.staging_bytes_max);
        let group = std::mem::replace(&mut staging.group, fresh);
        let wants_sync = std::mem::take(&mut staging.wants_sync);
        staging.wants_write = false;

        let body = group.body_bytes() as u64;
        let spare = if self.must_roll(&staging, body) { self.take_spare(&mut staging, &group) } else { None };
        if group.count > 0 {
            staging.room = staging.room.saturating_sub(body + 2 * HEADERS_BYTES as u64);
        }
        let index = Arc::clone(&staging.index);
        Batch { group, index, spare, wants_sync, sync: None }
    }

    /// Whether a group goes into the next segment: it does not fit, or the tail's index has outgrown its memory.
    fn must_roll(&self, staging: &Staging<D>, body: u64) -> bool {
        let may_roll = || {
            body > 0
                && matches!(&staging.spare, SpareState::Ready(spare) if body <= LogWriter::<D>::room_in_spare(spare.bytes))
        };
        body > staging.room || (staging.index.bytes() > self.options.index_bytes_max && may_roll())
    }

    /// Takes the spare for the next group and orders the one after it. The group's events move to the index of the new
    /// segment.
    fn take_spare(&self, staging: &mut Staging<D>, group: &Group) -> Option<Spare<D>> {
        if staging.index.base() != group.base {
            staging.index = self.index.begin_part(staging.next_number, group.base);
            staging.heads.forget();
            self.add_to_index(&staging.index, group);
        }
        staging.next_number += 1;
        let SpareState::Ready(spare) = std::mem::replace(&mut staging.spare, SpareState::Building) else {
            unreachable!("the sequencer adds to a group only what fits into the tail or a ready spare");
        };
        staging.room = LogWriter::<D>::room_in_spare(spare.bytes);
        staging.next_bytes = next_segment_bytes(spare.bytes, self.options.segment_bytes_max, 0);
        staging.spare = SpareState::Ordered { number: staging.next_number, bytes: staging.next_bytes };
        self.order.notify_one();
        Some(spare)
    }

    /// Who looks on, if anybody.
    pub(super) fn observer(&self) -> Option<&dyn CommitObserver> {
        self.options.commit_observer.as_deref()
    }

    fn write_batch(&self, writer: &mut LogWriter<D>, batch: &mut Batch<D>) -> io::Result<Durability> {
        let is_idle = batch.group.count == 0 && !batch.wants_sync;
        let mut watch = Watch::start(self.observer().filter(|_| !is_idle));
        if batch.group.count > 0 {
            let place = writer.write(&mut batch.group, batch.spare.take(), self.options.environment.now())?;
            place_in_index(&batch.index, &batch.group, place);
            writer.show();
            watch.wrote();
        }
        if batch.wants_sync {
            let since = Instant::now();
            writer.sync()?;
            batch.sync = Some(since.elapsed());
            watch.synced();
        }
        let reached = if writer.has_unsynced() { Durability::Written } else { Durability::Durable };
        watch.end(&batch.group, reached);
        Ok(reached)
    }

    /// Adds the events of a placed group to the index of the segment that they go to.
    fn add_to_index(&self, index: &MemoryIndex, group: &Group) {
        let mut record_keys = RecordKeys::new(&self.index.keyring);
        let mut keys = Vec::new();
        let mut walk = RecordWalk::from(group.base);
        while let Some(Ok(place)) = walk.next_place(group.body()) {
            keys.clear();
            record_keys.add(&place.record, place.request.as_ref(), &mut keys);
            index.add(index.ordinal(place.record.position()), &keys, place.record.revision());
        }
    }

    /// Notes what a commit reached and lets the next one begin.
    fn end_commit(&self, writer: &LogWriter<D>, batch: Batch<D>, answered: usize, reached: Durability) {
        let mut staging = self.staging.lock();
        staging.room = writer.room();
        staging.idle_group = Some(batch.group);
        if let Some(sync) = batch.sync {
            let size = answered + staging.waiters.len();
            staging.crowd = Some(Crowd { size, sync, ended: Instant::now() });
        }
        if reached == Durability::Durable {
            staging.unsynced_since = (staging.group.count > 0).then(Instant::now);
            staging.last_commit = Some(Instant::now());
            staging.is_marked = false;
        }
        self.hand_over(staging);
    }

    /// Ends the turn of whoever set `is_committing`: whoever waits for it looks again.
    fn hand_over(&self, mut staging: MutexGuard<'_, Staging<D>>) {
        staging.is_committing = false;
        let must_call = staging.is_awaited() || staging.committer_rests;
        staging.committer_rests = false;
        drop(staging);
        self.room_made.notify_all();
        if must_call {
            self.work.notify_one();
        }
    }

    /// After the first failure nothing is written any more; everybody who waits is told the cause.
    fn poison(&self, error: io::Error, waiters: Vec<Waiter>) {
        tell_failure(self.observer(), &error);
        let cause = Arc::new(error);
        let mut staging = self.staging.lock();
        staging.refusal = Some(poisoned(&cause));
        staging.is_committing = false;
        staging.wants_sync = false;
        staging.wants_write = false;
        let staged = std::mem::take(&mut staging.waiters);
        drop(staging);
        self.room_made.notify_all();
        self.work.notify_all();
        for waiter in waiters.into_iter().chain(staged) {
            waiter.slot.fill(Err(AppendError::Poisoned { cause: Arc::clone(&cause) }));
        }
    }

    /// States what is durable, for whoever reads the log after a power cut or from another process.
    pub(crate) fn mark(&self) {
        let mut staging = self.staging.lock();
        if staging.is_committing || staging.is_marked || staging.refusal.is_some() {
            return;
        }
        staging.is_committing = true;
        staging.is_marked = true;
        drop(staging);
        let turn = Turn::new(self);
        let now = self.options.environment.now();
        let outcome = self.committer.lock().writer.mark(false, now);
        let waiters = turn.end();
        match outcome {
            Ok(()) => self.hand_over(self.staging.lock()),
            Err(error) => self.poison(error, waiters),
        }
    }

    /// The committing thread: commits what callers do not, syncs what nobody waits for, writes marks when all is quiet.
    pub(super) fn run_committer(&self) {
        debug_assert_eq!(self.options.upkeep, Upkeep::Threads);
        let mut staging = self.staging.lock();
        while !staging.is_stopping && staging.refusal.is_none() {
            if staging.is_committing {
                self.rest(&mut staging);
                continue;
            }
            let is_sync_due = staging.unsynced_since.is_some_and(|since| since.elapsed() >= self.options.sync_interval);
            staging.wants_sync |= is_sync_due;
            if staging.is_awaited() {
                staging.is_committing = true;
                drop(staging);
                self.commit();
                staging = self.staging.lock();
            } else if !staging.is_marked && self.is_quiet(&staging) {
                drop(staging);
                self.mark();
                staging = self.staging.lock();
            } else {
                self.rest(&mut staging);
            }
        }
    }

    fn is_quiet(&self, staging: &Staging<D>) -> bool {
        staging.last_commit.is_some_and(|last| last.elapsed() >= self.options.mark_after)
    }

    /// Sleeps until somebody calls or something is due.
    fn rest(&self, staging: &mut MutexGuard<'_, Staging<D>>) {
        let Options { mark_after, sync_interval, .. } = self.options;
        let to_mark = staging.last_commit.filter(|_| !staging.is_marked);
        let mark_at = to_mark.and_then(|last| last.checked_add(mark_after));
        // A weak append that comes while we sleep wakes nobody, and is due no sooner than this.
        let unsynced_since = staging.unsynced_since.or(mark_at.map(|_| Instant::now()));
        let sync_at = unsynced_since.and_then(|since| since.checked_add(sync_interval));
        match [mark_at, sync_at].into_iter().flatten().min() {
            // While others commit one after another, a mark is always nearly due: look again, but not all the time.
            Some(due) => {
                let due = due.max(Instant::now() + Duration::from_micros(200));
                self.work.wait_until(staging, due);
            }
            None => {
                staging.committer_rests = true;
                self.work.wait(staging);
                staging.committer_rests = false;
            }
        }
    }
}

/// Tells the index where the events of a group have been written.
fn place_in_index(index: &MemoryIndex, group: &Group, (offset, recorded_at): (u64, Timestamp)) {
    let first = offset + HEADERS_BYTES as u64;
    let mut walk = RecordWalk::from(group.base);
    let offsets = std::iter::from_fn(|| {
        let place = walk.skip(group.body())?.ok()?;
        Some(first + place as u64)
    });
    index.place_batch(BatchPlace { ordinal: index.ordinal(group.base), offset, recorded_at }, offsets);
}
