//! Where requests get their order: checks are judged, positions and revisions given, one request after another.

use super::appender::Appender;
use super::prepared::Prepared;
use super::slot::Slot;
use super::staging::{Refusal, SpareState, Staging, Waiter};
use super::verdict::{Refused, Repeat, Verdict};
use super::watch::tell_failure;
use crate::disk::Disk;
use crate::index::{Head, Key};
use crate::log::LogWriter;
use crate::options::Upkeep;
use crate::sabotage::{Bug, has};
use crate::sync::MutexGuard;
use gesta_model::codec::NO_REVISION;
use gesta_model::{
    AppendError, Check, Conflict, Durability, EncodedRequest, FailedCheck, Position, Receipt, Revision, StreamName,
};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// What a waiter counts for when the memory for the next commit is shared out.
const WAITER_BYTES: usize = 64;

/// What became of a request that was taken.
pub(super) enum Staged {
    /// It has its receipt.
    Answered(Receipt),
    /// Its answer comes with its group.
    Waits(Arc<Slot>),
}

/// What speaks against a request.
enum Objection {
    Conflict(Conflict),
    Repeat(Repeat),
}

impl<D: Disk> Appender<D> {
    /// Judges a request and adds it to the group.
    pub(super) fn stage(&self, request: EncodedRequest) -> Result<Staged, AppendError> {
        let mut prepared = self.prepare(request)?;
        let asked = prepared.request.durability();
        let mut staging = self.with_room_for(prepared.request.bytes().len())?;
        let verdict = match self.judge(&mut staging, &mut prepared)? {
            Some(Objection::Repeat(repeat)) => Verdict::Repeat(repeat),
            Some(Objection::Conflict(conflict)) => {
                Verdict::Conflict(Box::new(Refused { conflict, request: prepared.request }))
            }
            None => Verdict::Receipt(self.place(&mut staging, &mut prepared)),
        };
        let is_full = staging.group.body_bytes() >= self.options.buffer_bytes;
        if is_full {
            staging.wants_write = true;
        }
        let needed = verdict.needed(asked);
        if self.is_answered_now(&staging, &verdict, needed) {
            self.leave(staging, is_full);
            return self.answer(verdict, needed).map(Staged::Answered);
        }
        staging.want(needed);
        let slot = Arc::new(Slot::default());
        staging.waiters.push(Waiter { slot: Arc::clone(&slot), verdict });
        self.leave(staging, false);
        Ok(Staged::Waits(slot))
    }

    /// Judges a request at this point of the order; `None` when nothing speaks against it.
    fn judge(&self, staging: &mut Staging<D>, prepared: &mut Prepared) -> Result<Option<Objection>, AppendError> {
        if !has(Bug::NoRecheck) {
            self.search(prepared, staging.tail())?;
        }
        if let (Some(first), Some(id)) = (prepared.earlier, prepared.request.request_id()) {
            let fingerprint = prepared.request.fingerprint();
            return Ok(Some(Objection::Repeat(Repeat { first, id, fingerprint })));
        }
        let mut failed = Vec::new();
        let mut conditions = prepared.conditions.iter();
        for check in prepared.request.checks() {
            failed.extend(match check {
                Check::Stream { stream, expected } => {
                    let head = self.head_of(staging, self.index.stream_key(stream.as_str()))?;
                    let actual = head.map(|head| head.revision);
                    let is_failed = !expected.holds(actual);
                    is_failed.then(|| FailedCheck::Stream { stream: stream.clone(), expected: *expected, actual })
                }
                Check::NoEvents { query, after } => {
                    let found = conditions.next().and_then(|condition| condition.found);
                    found.map(|found| FailedCheck::Query { query: query.clone(), after: *after, found })
                }
                _ => None,
            });
        }
        if !failed.is_empty() {
            let conflict = Conflict { failed, head: staging.tail(), missed: Vec::new() };
            return Ok(Some(Objection::Conflict(conflict)));
        }
        // Placing cannot fail half-way: what it needs to know of older segments is asked here.
        for stream in prepared.streams() {
            if !staging.index.has(stream) {
                self.head_of(staging, stream)?;
            }
        }
        Ok(None)
    }

    /// Where a stream stands at this point of the order.
    fn head_of(&self, staging: &mut Staging<D>, stream: Key) -> Result<Option<Head>, AppendError> {
        let head = staging.heads.of(stream, (&self.index, &staging.index));
        head.map_err(|damage| AppendError::Degraded { damage: damage.to_string() })
    }

    /// Gives the events their positions and revisions and adds them to the group.
    fn place(&self, staging: &mut Staging<D>, prepared: &mut Prepared) -> Receipt {
        let first = staging.tail();
        let revisions = self.place_in_streams(staging, prepared, first);
        let request = &prepared.request;
        if request.event_count() > 0 {
            staging.group.add(request.bytes(), request.event_count());
            Self::note_unsynced(staging);
        }
        Receipt {
            positions: first..staging.tail(),
            revisions,
            head: self.log.watermarks.readable(),
            durability: Durability::Buffered,
            incarnation: self.incarnation,
        }
    }

    /// Gives each event its position and revision and adds it to the index; returns the new last revision of each stream,
    /// in the order first written.
    fn place_in_streams(
        &self,
        staging: &mut Staging<D>,
        prepared: &mut Prepared,
        first: Position,
    ) -> Vec<(StreamName, Revision)> {
        let Staging { index, heads, .. } = staging;
        let Prepared { request, keys, key_ends, .. } = prepared;
        let first_ordinal = index.ordinal(first);
        let (mut start, mut event) = (0, 0);
        let mut written: Vec<(StreamName, Revision)> = Vec::new();
        let mut last_written = None;
        // Streams that the request comes back to, with the revision of the last event so far.
        let mut again: HashMap<Key, Revision> = HashMap::new();
        request.place(first, |stream| {
            let keys = &keys[start..key_ends[event] as usize];
            let ordinal = first_ordinal + u32::try_from(event).expect("the limits bound a request's events");
            (start, event) = (start + keys.len(), event + 1);
            let Some(name) = stream else {
                index.add(ordinal, keys, None);
                return NO_REVISION;
            };
            let (revision, before) = index.add_next(ordinal, keys, || {
                let head = heads.of(keys[0], (&self.index, index)).expect("it was asked before");
                head.map_or(Revision::FIRST, |head| head.revision.next())
            });
            let is_first = before.is_none_or(|before| before < first_ordinal);
            match written.last_mut().filter(|_| last_written == Some(keys[0])) {
                Some((_, last)) => *last = revision,
                None if is_first => {
                    written.push((StreamName::new(name).expect("the name was encoded"), revision));
                    last_written = Some(keys[0]);
                }
                None => drop(again.insert(keys[0], revision)),
            }
            revision.0
        });
        if !again.is_empty() {
            for (name, revision) in &mut written {
                let last = again.get(&self.index.stream_key(name.as_str()));
                *revision = last.map_or(*revision, |last| (*revision).max(*last));
            }
        }
        written
    }

    /// Whether everything the verdict rests on is already where the answer needs it.
    fn is_answered_now(&self, staging: &Staging<D>, verdict: &Verdict, needed: Durability) -> bool {
        let reached = match needed {
            Durability::Buffered => return true,
            Durability::Written => self.log.watermarks.written(),
            Durability::Durable => self.log.watermarks.readable(),
        };
        match verdict {
            Verdict::Receipt(receipt) => receipt.positions.is_empty() && reached == staging.tail(),
            Verdict::Conflict(_) => reached == staging.tail(),
            Verdict::Repeat(repeat) => reached > repeat.first,
        }
    }

    /// Lets go of the lock and sees to what nobody waits for: a full buffer, a resting committer.
    fn leave(&self, mut staging: MutexGuard<'_, Staging<D>>, is_full: bool) {
        let is_idle = !staging.is_committing;
        match self.options.upkeep {
            Upkeep::Inline if is_full && is_idle => {
                staging.is_committing = true;
                drop(staging);
                self.commit();
            }
            Upkeep::Inline => {}
            Upkeep::Threads => {
                // One that rests waits for no moment; a request that added nothing gives it none.
                let must_wake = staging.committer_rests && (staging.unsynced_since.is_some() || staging.is_awaited());
                let must_call = (is_full && is_idle) || must_wake;
                staging.committer_rests &= !must_call;
                drop(staging);
                if must_call {
                    self.work.notify_one();
                }
            }
        }
    }

    /// Whether a request of so many bytes would be taken, or refused, without waiting for room.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let staging = self.staging.lock();
        let body = staging.group.body_bytes() + bytes;
        staging.refusal.is_some() || !self.is_crowded(&staging) && (bytes == 0 || self.fits(&staging, body))
    }

    /// The lock, once `bytes` more fit into memory and into a segment that is there.
    fn with_room_for(&self, bytes: usize) -> Result<MutexGuard<'_, Staging<D>>, AppendError> {
        let mut staging = self.staging.lock();
        let mut has_ordered = false;
        loop {
            if let Some(refusal) = &staging.refusal {
                return Err(refusal.clone().into());
            }
            let is_news = self.notice_lost_pages(&mut staging);
            if let Some(damage) = staging.cut.clone() {
                drop(staging);
                if is_news {
                    tell_failure(self.observer(), &io::Error::other(damage.clone()));
                }
                return Err(AppendError::Degraded { damage });
            }
            let body = staging.group.body_bytes() + bytes;
            let is_crowded = self.is_crowded(&staging);
            if !is_crowded && (bytes == 0 || self.fits(&staging, body)) {
                return Ok(staging);
            }
            if is_crowded || staging.group.count > 0 {
                staging.wants_write = true;
                staging = self.wait_for_commit(staging)?;
                continue;
            }
            if let (SpareState::Failed { bytes, cause }, true) = (&staging.spare, has_ordered) {
                return Err(no_segment(*bytes, cause));
            }
            has_ordered |= order_spare(&mut staging, body as u64);
            staging = self.wait_for_spare(staging)?;
        }
    }

    /// Looks, whenever the disk could not bring a page, whether a segment was cut: nothing is appended to a log that has lost
    /// events. Says whether that has just come to light.
    fn notice_lost_pages(&self, staging: &mut Staging<D>) -> bool {
        let lost_pages = self.disk.lost_pages();
        if lost_pages == staging.lost_pages || staging.cut.is_some() {
            return false;
        }
        staging.lost_pages = lost_pages;
        let segments = self.log.segments.load();
        let cut = segments.list.iter().find(|segment| segment.is_cut());
        staging.cut = cut.map(|segment| format!("{}: the file was cut while the store was open", segment.path));
        staging.cut.is_some()
    }

    /// Whether so many wait that no other may: what has no bytes of its own takes memory while it waits, too.
    fn is_crowded(&self, staging: &Staging<D>) -> bool {
        staging.waiters.len() >= (self.options.staging_bytes_max / WAITER_BYTES).max(1)
    }

    /// Whether a group of `body` bytes may be gathered now.
    fn fits(&self, staging: &Staging<D>, body: usize) -> bool {
        let fits_in_memory = staging.group.count == 0 || body <= self.options.staging_bytes_max;
        let fits_in_spare = matches!(&staging.spare, SpareState::Ready(spare) if body as u64 <= LogWriter::<D>::room_in_spare(spare.bytes));
        fits_in_memory && (body as u64 <= staging.room || fits_in_spare)
    }

    fn wait_for_commit<'s>(
        &'s self,
        mut staging: MutexGuard<'s, Staging<D>>,
    ) -> Result<MutexGuard<'s, Staging<D>>, AppendError> {
        if !staging.is_committing {
            staging.is_committing = true;
            drop(staging);
            self.commit();
            return Ok(self.staging.lock());
        }
        if self.options.upkeep == Upkeep::Inline {
            return Err(under_way_here());
        }
        self.room_made.wait(&mut staging);
        Ok(staging)
    }

    fn wait_for_spare<'s>(
        &'s self,
        mut staging: MutexGuard<'s, Staging<D>>,
    ) -> Result<MutexGuard<'s, Staging<D>>, AppendError> {
        if self.options.upkeep == Upkeep::Inline {
            if matches!(staging.spare, SpareState::Building) {
                return Err(under_way_here());
            }
            drop(staging);
            self.keep();
            return Ok(self.staging.lock());
        }
        self.order.notify_one();
        self.room_made.wait(&mut staging);
        Ok(staging)
    }
}

/// Without threads of its own, a store cannot wait for work that the calling thread itself is in the middle of.
fn under_way_here() -> AppendError {
    let cause = io::Error::new(io::ErrorKind::WouldBlock, "room is being made on this very thread");
    AppendError::NoSegment { cause: Arc::new(cause) }
}

/// Orders a spare with room for `body` bytes unless one is being built; tells whether it did.
fn order_spare<D: Disk>(staging: &mut Staging<D>, body: u64) -> bool {
    let needed = LogWriter::<D>::spare_bytes_for(body).next_multiple_of(4096);
    match &mut staging.spare {
        SpareState::Building => false,
        SpareState::Ordered { bytes, .. } => {
            *bytes = (*bytes).max(needed);
            true
        }
        SpareState::Ready(_) | SpareState::Failed { .. } => {
            let bytes = staging.next_bytes.max(needed);
            staging.spare = SpareState::Ordered { number: staging.next_number, bytes };
            true
        }
    }
}

fn no_segment(bytes: u64, cause: &Arc<io::Error>) -> AppendError {
    let cause = Arc::clone(cause);
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendError::StorageFull { bytes, cause },
        _ => AppendError::NoSegment { cause },
    }
}

/// Names the reason for a refusal once the writer has failed.
pub(super) fn poisoned(cause: &Arc<io::Error>) -> Refusal {
    Refusal::Poisoned(Arc::clone(cause))
}
