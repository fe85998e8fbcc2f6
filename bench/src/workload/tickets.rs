//! Durable appends by one thread that does not wait for each.

use super::{Settings, Workload};
use crate::events::Events;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::sample::{Latency, Sample};
use crate::yardstick::{ZeroedFile, sync_each};
use gesta::codec::HEADERS_BYTES;
use gesta::{Durability, Store, Ticket};
use std::collections::VecDeque;
use std::time::Instant;

/// One thread with a number of tickets in flight.
#[derive(Debug)]
pub struct TicketsInFlight {
    settings: Settings,
    ticket_count: usize,
    events_each: usize,
}

impl TicketsInFlight {
    /// So many tickets, one event each.
    #[must_use]
    pub fn new(settings: &Settings, ticket_count: usize) -> Self {
        Self { settings: settings.clone(), ticket_count, events_each: 1 }
    }

    /// The same with so many events each.
    #[must_use]
    pub fn events_each(self, events_each: usize) -> Self {
        Self { events_each, ..self }
    }

    /// Keeps the tickets in flight: waits for the oldest, takes what else is there, submits as many again.
    fn keep_in_flight(&self, store: &Store) -> Outcome<Sample> {
        let mut events = Events::starting_at(0)?;
        let mut flight: VecDeque<(Instant, Ticket)> = VecDeque::with_capacity(self.ticket_count);
        let mut latency = Latency::default();
        let start = Instant::now();
        let mut now = start;
        loop {
            let is_over = now - start >= self.settings.round;
            while !is_over && flight.len() < self.ticket_count {
                let ticket = store.submit(events.request(self.events_each, Durability::Durable))?;
                flight.push_back((now, ticket));
            }
            let Some((since, ticket)) = flight.pop_front() else { break };
            ticket.wait()?;
            now = Instant::now();
            latency.add(now - since);
            while let Some((since, ticket)) = flight.front_mut()
                && let Some(outcome) = ticket.try_take()
            {
                outcome?;
                latency.add(now - *since);
                flight.pop_front();
            }
        }
        Ok(Sample { event_count: latency.count() * self.events_each as u64, elapsed: now - start, latency })
    }
}

impl Workload for TicketsInFlight {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let file = ZeroedFile::create(place.path())?;
        let request = Events::starting_at(0)?.encoded(self.events_each)?;
        let event_count = (self.ticket_count * self.events_each) as u64;
        let sample = sync_each(file, event_count, self.settings.round, |group| {
            group.extend_from_slice(&[1; HEADERS_BYTES]);
            for _ in 0..self.ticket_count {
                group.extend_from_slice(&request);
            }
        })?;
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let sample = self.keep_in_flight(&store)?;
        assert_eq!(store.reader().head().0, sample.event_count, "every receipt stands for readable events");
        store.close()?;
        place.remove()?;
        Ok(sample)
    }
}
