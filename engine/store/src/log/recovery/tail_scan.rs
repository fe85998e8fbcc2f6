//! The forward walk over a segment that is or was the tail: what is true, up to where, and what is proven durable.

use crate::log::batch_source::{BatchSource, Bytes, Found, NotABatch};
use crate::sabotage::{Bug, has};
use gesta_model::codec::{BatchKind, CLOSING, HEADER_PAGE_BYTES, SEAL_BODY_BYTES, Seal, SealDigest, SegmentHeader};
use gesta_model::{Incarnation, Position, Timestamp};
use std::collections::VecDeque;

/// Where a walk stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// At the segment's seal: the log goes on in the next file.
    Sealed,
    /// At something that is not the next batch.
    NotABatch(NotABatch),
}

/// A walk over the batches of one segment, in order, each verified whole.
#[derive(Clone, Debug)]
pub(crate) struct TailScan {
    /// Where the next batch is expected.
    pub(crate) offset: u64,
    /// The position of the next event.
    pub(crate) position: Position,
    /// The check that the next batch repeats; `None` after a gap.
    pub(crate) chain: Option<u64>,
    /// Every position below it is proven durable.
    pub(crate) durable: Position,
    /// The latest life seen.
    pub(crate) incarnation: Incarnation,
    pub(crate) digest: SealDigest,
    pub(crate) batch_count: u64,
    pub(crate) event_count: u64,
    pub(crate) first_recorded_at: Option<Timestamp>,
    pub(crate) last_recorded_at: Timestamp,
    /// The last batch is the mark of a clean close.
    pub(crate) is_closed: bool,
    pub(crate) seal: Option<Seal>,
    /// No gap was skipped, so that the digest speaks of all batches.
    is_whole: bool,
    /// Batches of events that are not yet proven durable.
    unproven: VecDeque<Unproven>,
}

/// A batch, and what a walk must know to begin at it.
#[derive(Clone, Copy, Debug)]
struct Unproven {
    offset: u64,
    base: Position,
    end: Position,
    previous: u64,
    incarnation: Incarnation,
}

impl TailScan {
    /// At the first batch of a segment. That it was opened proves the segments before it durable.
    pub(crate) fn new(header: &SegmentHeader) -> Self {
        Self {
            offset: HEADER_PAGE_BYTES as u64,
            position: header.base,
            chain: Some(header.previous),
            durable: header.base,
            incarnation: header.incarnation,
            digest: SealDigest::default(),
            batch_count: 0,
            event_count: 0,
            first_recorded_at: None,
            last_recorded_at: Timestamp(i64::MIN),
            is_closed: false,
            seal: None,
            is_whole: true,
            unproven: VecDeque::new(),
        }
    }

    /// Walks on as far as the batches are true and begin before `until`, showing each to `visit` with its body.
    ///
    /// `None`: the walk reached `until`.
    pub(crate) fn advance<B: Bytes>(
        &mut self,
        source: &mut BatchSource<'_, B>,
        until: Position,
        mut visit: impl FnMut(&Found, &[u8]),
    ) -> Option<Stop> {
        while self.position < until {
            if self.seal.is_some() {
                return Some(Stop::Sealed);
            }
            if let Err(why) = self.step(source, &mut visit) {
                return Some(Stop::NotABatch(why));
            }
        }
        None
    }

    fn step<B: Bytes>(
        &mut self,
        source: &mut BatchSource<'_, B>,
        visit: &mut impl FnMut(&Found, &[u8]),
    ) -> Result<(), NotABatch> {
        let found = self.next_batch(source)?;
        let portable = source.portable_header(&found)?;
        let body = source.verified_body(&found)?;
        if found.header.kind == BatchKind::Seal {
            self.seal = Some(self.matching_seal(body)?);
        } else {
            self.digest.add(&portable);
            self.batch_count += 1;
            self.event_count += u64::from(found.header.count);
        }
        self.accept(&found);
        visit(&found, body);
        Ok(())
    }

    /// The seal, if it speaks of the batches that were walked over. After a gap it cannot be asked.
    fn matching_seal(&self, body: &[u8]) -> Result<Seal, NotABatch> {
        let seal = body.first_chunk::<SEAL_BODY_BYTES>().map(Seal::decode);
        let seal = seal.ok_or_else(|| NotABatch::Invalid("the seal is too short".to_owned()))?;
        if self.is_whole && (seal.digest != self.digest.value() || seal.written_bytes != self.offset) {
            return Err(NotABatch::Invalid("the seal does not match the batches before it".to_owned()));
        }
        Ok(seal)
    }

    /// Goes on at a batch beyond damage; the chain is broken there.
    pub(crate) fn resume_at(&mut self, found: &Found) {
        self.offset = found.offset;
        self.position = found.header.base;
        self.chain = None;
        self.is_whole = false;
        self.unproven.retain(|batch| batch.end > self.durable);
    }

    /// Where the bytes begin that nothing proves durable; the present offset when all of them are.
    pub(crate) fn unproven_offset(&self) -> u64 {
        self.unproven.front().map_or(self.offset, |batch| batch.offset)
    }

    /// The walk at the first place that is not proven durable; a writer elsewhere may still change what follows.
    pub(crate) fn settled(mut self) -> Self {
        if let Some(first) = self.unproven.pop_front() {
            self.unproven.clear();
            self.offset = first.offset;
            self.position = first.base;
            self.chain = Some(first.previous);
            self.incarnation = first.incarnation;
            self.seal = None;
            self.is_whole = false;
        }
        self
    }

    /// Notes evidence from elsewhere.
    pub(crate) fn prove(&mut self, durable: Position) {
        self.durable = self.durable.max(durable);
        while self.unproven.front().is_some_and(|batch| batch.end <= self.durable) {
            self.unproven.pop_front();
        }
    }

    /// The batch at the present offset, if it is the one that must follow.
    fn next_batch<B: Bytes>(&self, source: &mut BatchSource<'_, B>) -> Result<Found, NotABatch> {
        let found = source.batch_at(self.offset)?;
        let header = &found.header;
        let misplaced = |what: &str| Err(NotABatch::Invalid(what.to_owned()));
        if header.base != self.position {
            return misplaced("a batch of another place stands here");
        }
        if self.chain.is_some_and(|chain| header.previous != chain) && !has(Bug::NoChainCheck) {
            return misplaced("the batch does not continue the one before it: a write was lost, or is stale");
        }
        if header.incarnation < self.incarnation {
            return misplaced("a batch of an earlier life of the log stands here");
        }
        Ok(found)
    }

    fn accept(&mut self, found: &Found) {
        let header = &found.header;
        self.prove(header.durable);
        if header.count > 0 {
            self.unproven.push_back(Unproven {
                offset: found.offset,
                base: header.base,
                end: header.end(),
                previous: header.previous,
                incarnation: header.incarnation,
            });
        }
        self.offset = found.end_offset();
        self.position = header.end();
        self.chain = Some(found.check);
        self.incarnation = header.incarnation;
        self.is_closed = header.kind == BatchKind::Mark && header.flags & CLOSING != 0;
        self.first_recorded_at.get_or_insert(header.recorded_at);
        self.last_recorded_at = self.last_recorded_at.max(header.recorded_at);
    }
}
