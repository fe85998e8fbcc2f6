//! What a request is answered, once what it was judged against is where its caller wants it.
//!
//! Answers that need a look at the log are made here, outside every lock: the receipt of an earlier try, the ids that show
//! a conflict to be a retry, the events that the caller missed.

use super::appender::Appender;
use crate::disk::Disk;
use crate::index::{Kind, Plan};
use gesta_model::{
    AppendError, Conflict, Damage, Durability, EncodedRequest, ExpectedRevision, FailedCheck, Position, Receipt,
    Revision, StoredEvent, Uuid,
};
use std::ops::Range;

/// How many bytes of missed events are enough: their number says nothing of their size.
const MISSED_BYTES_MAX: usize = 4 << 20;

/// What the sequencer found.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The receipt, still without the head and the durability reached.
    Receipt(Receipt),
    /// Checks failed, against something that may not be readable yet.
    Conflict(Box<Refused>),
    /// A request of the same id stands in the log, or is on its way there.
    Repeat(Repeat),
}

/// A request whose checks failed.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) conflict: Conflict,
    pub(super) request: EncodedRequest,
}

/// A request that was made before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeat {
    /// Where its first event stands.
    pub(super) first: Position,
    pub(super) id: Uuid,
    pub(super) fingerprint: u64,
}

impl Verdict {
    /// What must be reached before the answer can be given, when `asked` is what the caller waits for.
    pub(super) fn needed(&self, asked: Durability) -> Durability {
        match self {
            Self::Receipt(_) => asked,
            // The answer is read from the log.
            Self::Conflict(_) | Self::Repeat(_) => asked.max(Durability::Written),
        }
    }
}

impl<D: Disk> Appender<D> {
    /// The answer that a verdict is, `durability` being reached.
    pub(super) fn answer(&self, verdict: Verdict, durability: Durability) -> Result<Receipt, AppendError> {
        let head = self.log.watermarks.readable();
        match verdict {
            Verdict::Receipt(receipt) => Ok(Receipt { head, durability, ..receipt }),
            Verdict::Repeat(repeat) => self.receipt_of(&repeat),
            Verdict::Conflict(refused) => self.answer_conflict(*refused),
        }
    }

    /// The receipt of a request that was made before.
    fn receipt_of(&self, repeat: &Repeat) -> Result<Receipt, AppendError> {
        let header = self.index.request_at(repeat.first, self.log.watermarks.written()).map_err(degraded)?;
        if header.request_id != repeat.id.to_u128_le() || header.fingerprint != repeat.fingerprint {
            return Err(AppendError::RequestIdReused { id: repeat.id, first: repeat.first });
        }
        self.receipt_for(repeat.first..repeat.first.plus(u64::from(header.record_count)))
    }

    /// The receipt for events that stand in the log.
    fn receipt_for(&self, positions: Range<Position>) -> Result<Receipt, AppendError> {
        let below = self.log.watermarks.written();
        let revisions = self.index.revisions_of(positions.clone(), below).map_err(degraded)?;
        let head = self.log.watermarks.readable();
        let durability = if positions.end <= head { Durability::Durable } else { Durability::Written };
        Ok(Receipt { positions, revisions, head, durability, incarnation: self.incarnation })
    }

    /// A conflict with the events that were missed; or the first receipt, when the conflict is with the request itself.
    fn answer_conflict(&self, refused: Refused) -> Result<Receipt, AppendError> {
        let Refused { mut conflict, request } = refused;
        if let Some(positions) = self.earlier_try(&conflict, &request)? {
            return self.receipt_for(positions);
        }
        conflict.missed = self.missed(&conflict, request.missed_max() as usize);
        Err(AppendError::Conflict(conflict))
    }

    /// Where the very same events stand already, when that is why the expected revisions do not hold.
    ///
    /// The rule is KurrentDB's: if the events from the expected revision on carry the same ids, it is the same append; if
    /// the first differs it is a conflict; if a later one differs, the answer is an error of its own.
    fn earlier_try(
        &self,
        conflict: &Conflict,
        request: &EncodedRequest,
    ) -> Result<Option<Range<Position>>, AppendError> {
        if request.event_count() == 0 {
            return Ok(None);
        }
        let mut first = None;
        for failed in &conflict.failed {
            let FailedCheck::Stream { stream, expected, .. } = failed else { return Ok(None) };
            let next = match expected {
                ExpectedRevision::NoStream => Revision::FIRST,
                ExpectedRevision::Exactly(revision) if revision.0 < u64::MAX => revision.next(),
                _ => return Ok(None),
            };
            let written = request.records(Position::START).find(|(_, record)| record.stream() == Some(stream.as_str()));
            let Some((_, record)) = written else { return Ok(None) };
            first.get_or_insert((stream, next, record.position().0));
        }
        let Some((stream, revision, ordinal)) = first else { return Ok(None) };
        let key = self.index.stream_key(stream.as_str());
        let below = self.log.watermarks.written().min(conflict.head);
        let found = self.index.position_of(key, revision, below).map_err(degraded)?;
        let Some(base) = found.and_then(|found| found.0.checked_sub(ordinal)).map(Position) else { return Ok(None) };
        let mut same = 0;
        let mut is_first_same = false;
        for (_, record) in request.records(base) {
            let position = record.position();
            let is_same =
                position < below && self.index.fetch(position, below).map_err(degraded)?.0.record().id() == record.id();
            same += u32::from(is_same);
            is_first_same |= is_same && position == base.plus(ordinal);
        }
        match (is_first_same, same == request.event_count()) {
            (false, _) => Ok(None),
            (true, true) => Ok(Some(base..base.plus(u64::from(same)))),
            (true, false) => {
                Err(AppendError::PartialMatch { stream: stream.clone(), revision, position: base.plus(ordinal) })
            }
        }
    }

    /// The events that the caller did not know of, in their order and without a gap: they end where one is damaged.
    fn missed(&self, conflict: &Conflict, count_max: usize) -> Vec<StoredEvent> {
        let below = self.log.watermarks.written().min(conflict.head);
        let mut positions = Vec::new();
        if count_max > 0 {
            for failed in &conflict.failed {
                positions.extend(self.missed_by(failed, below, count_max));
            }
        }
        positions.sort_unstable();
        positions.dedup();
        positions.truncate(count_max);
        let fetched = positions.into_iter().map_while(|position| self.index.fetch(position, below).ok());
        let mut bytes = 0;
        let within_bounds = fetched.take_while(|(event, _)| {
            let is_within = bytes < MISSED_BYTES_MAX;
            bytes += event.record().bytes().len();
            is_within
        });
        within_bounds.map(|(event, recorded_at)| StoredEvent::new(&event.record(), recorded_at)).collect()
    }

    fn missed_by(&self, failed: &FailedCheck, below: Position, count_max: usize) -> Vec<Position> {
        let keyring = &self.index.keyring;
        let (plan, from) = match failed {
            FailedCheck::Query { query, after, .. } => (Plan::of(query, keyring), *after),
            FailedCheck::Stream { stream, expected, .. } => {
                let next = match expected {
                    ExpectedRevision::NoStream => Revision::FIRST,
                    ExpectedRevision::Exactly(revision) => revision.next(),
                    _ => return Vec::new(),
                };
                let key = keyring.key(Kind::Stream, stream.as_str().as_bytes());
                match self.index.position_of(key, next, below) {
                    Ok(Some(from)) => (Plan::of_stream(stream, keyring), from),
                    _ => return Vec::new(),
                }
            }
            _ => return Vec::new(),
        };
        self.index.first_matches(&plan, from..below, count_max)
    }
}

fn degraded(damage: Damage) -> AppendError {
    AppendError::Degraded { damage: damage.to_string() }
}
