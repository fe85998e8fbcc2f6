//! Where requests get their order: checks are judged, positions and revisions given, one request after another.

use super::appender::Appender;
use super::error::AppendError;
use super::slot::Slot;
use super::staging::{Refusal, SpareState, Staging, Verdict, Waiter};
use crate::disk::Disk;
use crate::index::Heads;
use crate::log::LogWriter;
use crate::options::Upkeep;
use gesta_model::codec::NO_REVISION;
use gesta_model::{
    AppendRequest, Check, Conflict, Durability, EncodedRequest, FailedCheck, Position, Receipt, Revision, StreamName,
};
use parking_lot::MutexGuard;
use std::io;
use std::sync::Arc;

/// What became of a request that was taken.
pub(super) enum Staged {
    /// It has its receipt.
    Answered(Receipt),
    /// Its answer comes with its group.
    Waits(Arc<Slot>),
}

impl<D: Disk> Appender<D> {
    /// Encodes a request, judges it and adds it to the group.
    pub(super) fn stage(&self, request: AppendRequest) -> Result<Staged, AppendError> {
        let mut request = request.encode(&self.options.limits, || self.options.environment.make_id())?;
        let mut staging = self.with_room_for(request.bytes().len())?;
        let verdict = match self.judge(&staging, &request) {
            Some(conflict) => Verdict::Conflict(conflict),
            None => Verdict::Receipt(self.place(&mut staging, &mut request)),
        };
        let is_full = staging.group.body_bytes() >= self.options.buffer_bytes;
        if is_full {
            staging.wants_write = true;
        }
        let staged = if self.is_answered_now(&staging, &verdict, request.durability()) {
            self.answer(verdict, request.durability()).map(Staged::Answered)
        } else {
            staging.want(request.durability());
            let slot = Arc::new(Slot::default());
            staging.waiters.push(Waiter { slot: Arc::clone(&slot), verdict });
            Ok(Staged::Waits(slot))
        };
        let is_left_to_others = matches!(staged, Ok(Staged::Answered(_)));
        self.leave(staging, is_full && is_left_to_others);
        staged
    }

    /// Judges all checks at this point of the order; `None` when they hold.
    fn judge(&self, staging: &Staging<D>, request: &EncodedRequest) -> Option<Conflict> {
        if request.checks().is_empty() {
            return None;
        }
        let heads = self.index.heads.hold();
        let failed: Vec<FailedCheck> = request
            .checks()
            .iter()
            .filter_map(|check| match check {
                Check::Stream { stream, expected } => {
                    let (expected, actual) = (*expected, heads.revision(stream.as_str()));
                    let failed = || FailedCheck::Stream { stream: stream.clone(), expected, actual };
                    (!expected.holds(actual)).then(failed)
                }
                Check::NoEvents { query, after } => {
                    // Any event from there on may match: without looking closer, none is let through.
                    let found = staging.tail().0.checked_sub(1).map(Position).filter(|last| last >= after)?;
                    Some(FailedCheck::Query { query: query.clone(), after: *after, found })
                }
                _ => None,
            })
            .collect();
        (!failed.is_empty()).then(|| Conflict { failed, head: staging.tail(), missed: Vec::new() })
    }

    /// Gives the events their positions and revisions and adds them to the group.
    fn place(&self, staging: &mut Staging<D>, request: &mut EncodedRequest) -> Receipt {
        let first = staging.tail();
        let revisions = place_in_streams(&self.index.heads, request, first);
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

    /// Whether everything the verdict rests on is already where the caller wants it.
    fn is_answered_now(&self, staging: &Staging<D>, verdict: &Verdict, durability: Durability) -> bool {
        let reached = match durability {
            Durability::Buffered => return true,
            Durability::Written => self.log.watermarks.written(),
            Durability::Durable => self.log.watermarks.readable(),
        };
        match verdict {
            Verdict::Receipt(receipt) => receipt.positions.is_empty() && reached == staging.tail(),
            Verdict::Conflict(_) => reached == staging.tail(),
        }
    }

    /// The answer that a verdict is, `durability` being reached.
    pub(super) fn answer(&self, verdict: Verdict, durability: Durability) -> Result<Receipt, AppendError> {
        let head = self.log.watermarks.readable();
        match verdict {
            Verdict::Receipt(receipt) => Ok(Receipt { head, durability, ..receipt }),
            Verdict::Conflict(conflict) => Err(AppendError::Conflict(conflict)),
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
                let must_call = (is_full && is_idle) || staging.committer_rests;
                staging.committer_rests = false;
                drop(staging);
                if must_call {
                    self.work.notify_one();
                }
            }
        }
    }

    /// The lock, once `bytes` more fit into memory and into a segment that is there.
    fn with_room_for(&self, bytes: usize) -> Result<MutexGuard<'_, Staging<D>>, AppendError> {
        let mut staging = self.staging.lock();
        let mut has_ordered = false;
        loop {
            if let Some(refusal) = &staging.refusal {
                return Err(refusal.clone().into());
            }
            let body = staging.group.body_bytes() + bytes;
            if bytes == 0 || self.fits(&staging, body) {
                return Ok(staging);
            }
            if staging.group.count > 0 {
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

/// Gives each event its position and revision; returns the new last revision of each stream, in the order first written.
fn place_in_streams(heads: &Heads, request: &mut EncodedRequest, first: Position) -> Vec<(StreamName, Revision)> {
    let mut revisions: Vec<(StreamName, Revision)> = Vec::new();
    if request.event_count() == 0 {
        return revisions;
    }
    let mut heads = heads.hold();
    let mut position = first;
    request.place(first, |stream| {
        let here = position;
        position = position.plus(1);
        let Some(stream) = stream else { return NO_REVISION };
        let revision = heads.advance(stream, here);
        // Events of one stream mostly follow each other.
        let known = revisions.iter().rposition(|(name, _)| name.as_str() == stream);
        match known {
            Some(ordinal) => revisions[ordinal].1 = revision,
            None => revisions.extend(StreamName::new(stream).ok().map(|name| (name, revision))),
        }
        revision.0
    });
    revisions
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
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            AppendError::StorageFull { bytes, cause }
        }
        _ => AppendError::NoSegment { cause },
    }
}

/// Names the reason for a refusal once the writer has failed.
pub(super) fn poisoned(cause: &Arc<io::Error>) -> Refusal {
    Refusal::Poisoned(Arc::clone(cause))
}
