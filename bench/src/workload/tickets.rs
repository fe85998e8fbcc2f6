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

/// One thread with a number of tickets in flight, one event each.
#[derive(Debug)]
pub struct TicketsInFlight {
    settings: Settings,
    ticket_count: usize,
}

impl TicketsInFlight {
    /// So many tickets.
    #[must_use]
    pub fn new(settings: &Settings, ticket_count: usize) -> Self {
        Self { settings: settings.clone(), ticket_count }
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
                let ticket = store.submit(events.request(1, Durability::Durable))?;
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
        Ok(Sample { event_count: latency.count(), elapsed: now - start, latency })
    }
}

impl Workload for TicketsInFlight {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let place = Place::new(&self.settings.directory)?;
        let file = ZeroedFile::create(place.path())?;
        let request = Events::starting_at(0)?.encoded(1)?;
        let sample = sync_each(file, self.ticket_count as u64, self.settings.round, |group| {
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
        assert_eq!(store.reader().head().0, sample.event_count, "every receipt stands for one readable event");
        store.close()?;
        place.remove()?;
        Ok(sample)
    }
}
