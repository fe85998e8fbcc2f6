//! A request on its way to the sequencer: everything that can be done for it before the lock is taken.

use super::appender::Appender;
use crate::disk::Disk;
use crate::index::{Key, Kind, Plan, RecordKeys};
use gesta_model::codec::RecordWalk;
use gesta_model::{AppendError, AppendRequest, Check, Damage, EncodedRequest, Position};
use std::ops::Range;

/// A request with its bytes and keys, and what readable events say to it.
pub(super) struct Prepared {
    pub(super) request: EncodedRequest,
    /// The keys of all its events, one event's after another's.
    pub(super) keys: Vec<Key>,
    /// Where in `keys` each event's end.
    pub(super) key_ends: Vec<u32>,
    /// The conditions over queries, in the order of the checks.
    pub(super) conditions: Vec<Condition>,
    /// The key of its request id.
    pub(super) request_key: Option<Key>,
    /// Where an earlier try begins, if one was found below `searched`.
    pub(super) earlier: Option<Position>,
    /// Everything below it was searched already.
    pub(super) searched: Position,
}

/// A query that nothing may match from a position on.
pub(super) struct Condition {
    plan: Plan,
    after: Position,
    /// The last match, as far as it was searched.
    pub(super) found: Option<Position>,
}

impl Prepared {
    /// Where the keys of one event stand.
    pub(super) fn keys_of(&self, event: usize) -> Range<usize> {
        let start = event.checked_sub(1).map_or(0, |before| self.key_ends[before] as usize);
        start..self.key_ends[event] as usize
    }

    /// The streams that its events are of, one after another.
    pub(super) fn streams(&self) -> impl Iterator<Item = Key> {
        let first = |event| self.keys[self.keys_of(event)].first().copied();
        (0..self.key_ends.len()).filter_map(first).filter(|key| key.is(Kind::Stream))
    }
}

impl<D: Disk> Appender<D> {
    /// Makes a request's bytes.
    pub(super) fn encode(&self, request: AppendRequest) -> Result<EncodedRequest, AppendError> {
        let mut id_maker = self.options.environment.id_maker();
        Ok(request.encode(&self.options.limits, || id_maker.make_id())?)
    }

    /// Makes a request's keys, and searches what is readable for what speaks against it.
    pub(super) fn prepare(&self, request: EncodedRequest) -> Result<Prepared, AppendError> {
        let (keys, key_ends) = self.keys_of_events(&request);
        let keyring = &self.index.keyring;
        let conditions = request.checks().iter().filter_map(|check| match check {
            Check::NoEvents { query, after } => {
                Some(Condition { plan: Plan::of(query, keyring), after: *after, found: None })
            }
            _ => None,
        });
        let conditions = conditions.collect();
        let id = request.request_id().filter(|_| request.event_count() > 0);
        let request_key = id.map(|id| keyring.key(Kind::Request, &id.to_u128_le().to_le_bytes()));
        let (earlier, searched) = (None, Position::START);
        let mut prepared = Prepared { request, keys, key_ends, conditions, request_key, earlier, searched };
        self.search(&mut prepared, self.log.watermarks.readable())?;
        Ok(prepared)
    }

    /// Searches on up to a position for an earlier try of the request and for events that its conditions exclude.
    pub(super) fn search(&self, prepared: &mut Prepared, until: Position) -> Result<(), AppendError> {
        let degraded = |damage: Damage| AppendError::Degraded { damage: damage.to_string() };
        let from = prepared.searched;
        if let Some(key) = prepared.request_key {
            let from = from.max(prepared.request.since());
            let found = self.index.last_with(key, from..until).map_err(degraded)?;
            prepared.earlier = found.or(prepared.earlier);
        }
        for condition in &mut prepared.conditions {
            let from = from.max(condition.after);
            let found = self.index.last_match(&condition.plan, from..until).map_err(degraded)?;
            condition.found = found.or(condition.found);
        }
        prepared.searched = from.max(until);
        Ok(())
    }

    fn keys_of_events(&self, request: &EncodedRequest) -> (Vec<Key>, Vec<u32>) {
        let event_count = request.event_count() as usize;
        let (mut keys, mut key_ends) = (Vec::with_capacity(event_count * 4), Vec::with_capacity(event_count));
        let mut record_keys = RecordKeys::new(&self.index.keyring);
        let mut walk = RecordWalk::from(Position::START);
        while let Some(Ok(place)) = walk.next_place(request.bytes()) {
            record_keys.add(&place.record, place.request.as_ref(), &mut keys);
            key_ends.push(u32::try_from(keys.len()).unwrap_or(u32::MAX));
        }
        (keys, key_ends)
    }
}
