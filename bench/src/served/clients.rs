//! Appends over many connections at once.

use super::server::ServedStore;
use crate::events::Events;
use crate::outcome::Outcome;
use crate::sample::{Latency, Sample};
use gesta::Durability;
use gesta_client::{Client, Ticket};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How clients append.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    /// Clients, each with a connection of its own.
    pub(super) connection_count: usize,
    /// Requests of each that are without their answer.
    pub(super) requests_each: usize,
    /// Events of a request.
    pub(super) events_each: usize,
}

/// Threads for clients.
pub(super) fn runtime() -> Outcome<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

impl Pattern {
    /// Events that are appended to have all connections made before the clock starts.
    pub(super) fn warm_up_event_count(self) -> u64 {
        (self.connection_count * self.events_each) as u64
    }

    /// Appends for so long, once all connections are made.
    pub(super) async fn append(self, server: &ServedStore, round: Duration) -> Outcome<Sample> {
        let barrier = Arc::new(Barrier::new(self.connection_count + 1));
        let mut appenders = JoinSet::new();
        for ordinal in 0..self.connection_count {
            let (client, barrier) = (server.client()?, Arc::clone(&barrier));
            appenders.spawn(self.append_over(client, ordinal, round, barrier));
        }
        barrier.wait().await;
        let start = Instant::now();
        let mut latency = Latency::default();
        let mut elapsed = Duration::ZERO;
        while let Some(waits) = appenders.join_next().await {
            let waits: Vec<Duration> = waits??;
            elapsed = start.elapsed();
            waits.into_iter().for_each(|wait| latency.add(wait));
        }
        Ok(Sample { event_count: latency.count() * self.events_each as u64, elapsed, latency })
    }

    async fn append_over(
        self,
        client: Client,
        ordinal: usize,
        round: Duration,
        barrier: Arc<Barrier>,
    ) -> Outcome<Vec<Duration>> {
        let mut events = Events::starting_at(ordinal * 7)?;
        let warm = client.append(events.request(self.events_each, Durability::Durable)).await;
        barrier.wait().await;
        warm?;
        let mut waits = Vec::new();
        let mut flight: VecDeque<(Instant, Ticket)> = VecDeque::with_capacity(self.requests_each);
        let start = Instant::now();
        loop {
            while flight.len() < self.requests_each && start.elapsed() < round {
                let since = Instant::now();
                let request = events.request(self.events_each, Durability::Durable);
                flight.push_back((since, client.submit(request).await?));
            }
            let Some((since, ticket)) = flight.pop_front() else { return Ok(waits) };
            ticket.wait().await?;
            waits.push(since.elapsed());
        }
    }
}
