//! From the call of an append to the event in a subscriber's hands: over TCP, and in one process.

use super::clients::runtime;
use super::server::ServedStore;
use crate::events::Events;
use crate::outcome::Outcome;
use crate::sample::{Latency, Sample};
use crate::workload::{Settings, Workload};
use gesta::{Durability, Notice, Pace, Read};
use std::time::{Duration, Instant};

/// One appender, one subscriber, one event after the other.
#[derive(Debug)]
pub(super) struct Delivery {
    settings: Settings,
}

/// An event that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(10);

impl Delivery {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone() }
    }

    async fn deliver(&self, server: &ServedStore) -> Outcome<Latency> {
        let (appender, subscriber) = (server.client()?, server.client()?);
        let mut events = Events::starting_at(0)?;
        appender.append(events.request(1, Durability::Durable)).await?;
        let mut subscription = subscriber.subscribe(Read::all(), Pace::default()).await?;
        let mut latency = Latency::default();
        let mut expected = 0;
        let start = Instant::now();
        let mut since = start;
        loop {
            let deadline = Instant::now() + PATIENCE;
            let position = loop {
                match subscription.next(PATIENCE).await? {
                    Notice::Event(record) => break record.position(),
                    _ if Instant::now() > deadline => return Err("an event was not delivered".into()),
                    _ => {}
                }
            };
            assert_eq!(position.0, expected, "a subscription has no gap");
            if expected > 0 {
                latency.add(since.elapsed());
            }
            if start.elapsed() >= self.settings.round {
                return Ok(latency);
            }
            expected += 1;
            since = Instant::now();
            // The ticket is not waited for: the event itself is the answer.
            appender.submit(events.request(1, Durability::Durable)).await?;
        }
    }
}

impl Workload for Delivery {
    fn yardstick(&mut self) -> Outcome<Sample> {
        let (place, store) = self.settings.new_store()?;
        let mut events = Events::starting_at(0)?;
        let mut subscription = store.subscribe(Read::all());
        let mut latency = Latency::default();
        let start = Instant::now();
        while start.elapsed() < self.settings.round {
            let since = Instant::now();
            let ticket = store.submit(events.request(1, Durability::Durable))?;
            while !matches!(subscription.next(PATIENCE)?, Notice::Event(_)) {}
            latency.add(since.elapsed());
            drop(ticket);
        }
        let sample = Sample { event_count: latency.count(), elapsed: start.elapsed(), latency };
        assert_eq!(store.reader().head().0, sample.event_count, "every event was delivered");
        drop(subscription);
        store.close()?;
        place.remove()?;
        Ok(sample)
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        let server = ServedStore::start(&self.settings.directory, 0)?;
        let runtime = runtime()?;
        let start = Instant::now();
        let latency = runtime.block_on(self.deliver(&server))?;
        let sample = Sample { event_count: latency.count(), elapsed: start.elapsed(), latency };
        assert_eq!(runtime.block_on(server.count())?, sample.event_count + 1, "every event was delivered");
        drop(runtime);
        server.remove()?;
        Ok(sample)
    }
}
