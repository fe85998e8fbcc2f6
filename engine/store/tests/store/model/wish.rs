//! A request, kept so that the reference can judge it and so that it can be made again.

use crate::vocabulary::id;
use gesta::{AppendRequest, Check, Durability, EncodedRequest, Event, Limits, Position, Uuid};

/// Everything that an append asks for. All events have ids.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) events: Vec<Event>,
    pub(super) checks: Vec<Check>,
    pub(super) durability: Durability,
    pub(super) request_id: Option<Uuid>,
    pub(super) since: Position,
    pub(super) missed_max: u32,
}

/// What differs when a request is made again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Nothing,
    /// The events were made anew: the same, with other ids.
    AllIds,
    FirstId,
    LastId,
    /// It asks for something else.
    LastData,
    /// It is a new request with the same events.
    NoRequestId,
}

impl Wish {
    /// Only events.
    pub(super) fn of(events: Vec<Event>, durability: Durability) -> Self {
        Self { events, checks: Vec::new(), durability, request_id: None, since: Position::START, missed_max: 0 }
    }

    /// The request as the store gets it.
    pub(super) fn request(&self) -> AppendRequest {
        let mut request = AppendRequest::new().events(self.events.iter().cloned()).durability(self.durability);
        for check in &self.checks {
            request = match check.clone() {
                Check::Stream { stream, expected } => request.expect(stream, expected),
                Check::NoEvents { query, after } => request.unless(query, after),
                check => unreachable!("no such check is made here: {check:?}"),
            };
        }
        request = request.since(self.since).return_missed(self.missed_max);
        match self.request_id {
            Some(id) => request.request_id(id),
            None => request,
        }
    }

    /// Its events as records, of any size.
    pub(super) fn encoded(&self) -> EncodedRequest {
        let encoded = self.request().encode(&Limits::default(), || unreachable!("all events have ids"));
        encoded.expect("a request of the model is within the widest limits")
    }

    /// The same request with a change; `fresh` makes numbers that no event has.
    pub(super) fn changed(mut self, change: Change, mut fresh: impl FnMut() -> u64) -> Self {
        let last = self.events.len().saturating_sub(1);
        for (ordinal, event) in self.events.iter_mut().enumerate() {
            let is_new = match change {
                Change::Nothing | Change::NoRequestId | Change::LastData => false,
                Change::AllIds => true,
                Change::FirstId => ordinal == 0,
                Change::LastId => ordinal == last,
            };
            if is_new {
                *event = event.clone().id(id(fresh()));
            }
            if matches!(change, Change::LastData) && ordinal == last {
                *event = event.clone().data(format!("{} instead", fresh()));
            }
        }
        if matches!(change, Change::NoRequestId) {
            self.request_id = None;
        }
        self
    }
}
