//! Events into append requests, several under way at a time.
//!
//! An event whose id the store has already is left out. The ids are learned once, at the start: 16 bytes of memory and
//! some slack for each event of the store.

use super::Tally;
use crate::failure::Failure;
use crate::json::Incoming;
use crate::progress::Progress;
use gesta::{AppendRequest, AppendTicket, Durability, Event, EventCursor, EventStore, Read};
use std::collections::{HashSet, VecDeque};

/// Events of one request.
const REQUEST_EVENTS: usize = 1000;
/// Bytes of records in one request; a single larger event is a request of its own.
const REQUEST_BYTES: usize = 1 << 20;
/// Requests that are under way at a time.
const REQUESTS_UNDER_WAY: usize = 8;

/// Adds events to a store. End with [`Loader::finish`]: before it, nothing is promised to be durable.
pub(crate) struct Loader<'a, S: EventStore> {
    store: &'a S,
    known_ids: HashSet<u128>,
    batch: Vec<Event>,
    batch_bytes: usize,
    under_way: VecDeque<(S::Ticket, u64)>,
    tally: Tally,
}

impl<'a, S: EventStore> Loader<'a, S> {
    /// Learns which ids the store has.
    pub(crate) fn new(store: &'a S) -> Result<Self, Failure> {
        let event_count = store.head()?.0;
        let mut known_ids = HashSet::with_capacity(usize::try_from(event_count).unwrap_or(0));
        let progress = Progress::events(event_count);
        let mut cursor = store.read(Read::all())?;
        while let Some(record) = cursor.next_record() {
            known_ids.insert(record?.id().as_u128());
            progress.advance(1);
        }
        Ok(Self {
            store,
            known_ids,
            batch: Vec::new(),
            batch_bytes: 0,
            under_way: VecDeque::new(),
            tally: Tally::default(),
        })
    }

    /// Adds an event, unless its id is there already.
    pub(crate) fn add(&mut self, incoming: Incoming) -> Result<(), Failure> {
        self.tally.read += 1;
        if incoming.id.is_some_and(|id| !self.known_ids.insert(id.as_u128())) {
            self.tally.duplicate += 1;
            return Ok(());
        }
        if self.batch.len() >= REQUEST_EVENTS || self.batch_bytes + incoming.record_bytes > REQUEST_BYTES {
            self.submit()?;
        }
        self.batch_bytes += incoming.record_bytes;
        self.batch.push(incoming.event);
        Ok(())
    }

    /// Counts an event that could not be understood.
    pub(crate) fn count_failed(&mut self) {
        self.tally.read += 1;
        self.tally.failed += 1;
    }

    /// Waits until everything added is durable. The counts hold whether or not that comes true.
    pub(crate) fn finish(mut self) -> (Tally, Result<(), Failure>) {
        let submitted = self.submit();
        // The oldest request's failure says why the later ones failed too.
        let mut waited = Ok(());
        while let Some((ticket, event_count)) = self.under_way.pop_front() {
            waited = waited.and(self.take_receipt(ticket, event_count));
        }
        let result = waited.and(submitted).and_then(|()| self.sync());
        (self.tally, result)
    }

    /// Makes everything durable that was taken so far: a request without events is answered after all before it.
    fn sync(&self) -> Result<(), Failure> {
        self.store.append(AppendRequest::new())?;
        Ok(())
    }

    fn submit(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        while self.under_way.len() >= REQUESTS_UNDER_WAY {
            if let Some((ticket, event_count)) = self.under_way.pop_front() {
                self.take_receipt(ticket, event_count)?;
            }
        }
        let event_count = self.batch.len() as u64;
        let request = AppendRequest::new().events(self.batch.drain(..)).durability(Durability::Written);
        self.batch_bytes = 0;
        let ticket = self.store.submit(request)?;
        self.under_way.push_back((ticket, event_count));
        Ok(())
    }

    fn take_receipt(&mut self, ticket: S::Ticket, event_count: u64) -> Result<(), Failure> {
        ticket.wait()?;
        self.tally.added += event_count;
        Ok(())
    }
}
