//! From an append's call to the event in a subscriber's hands.

use super::figures::{Figures, Span, Waits};
use super::run::Run;
use crate::failure::{Failure, Status};
use gesta::{Notice, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// An event that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(10);

impl Run {
    pub(super) fn subscribe(&self) -> Result<Figures, Failure> {
        let waits = Arc::new(Waits::new());
        let before = self.promised();
        let mut subscriber = Some(self.subject.line()?);
        let span = self.subject.alone(|appender| {
            let (mut maker, round) = (self.maker.clone(), self.settings.round);
            let (promised, waits) = (Arc::clone(&self.promised), Arc::clone(&waits));
            let subscriber = subscriber.take().expect("one caller takes the one subscriber");
            async move {
                // Also makes the connection, before any clock starts.
                appender.submit(maker.request(1)).await?.keep().await?;
                // Relaxed, here and below: a count, read when this caller has ended.
                promised.fetch_add(1, Ordering::Relaxed);
                let mut following = subscriber.subscribe(Read::all().from(appender.head().await?)).await?;
                let start = Instant::now();
                while start.elapsed() < round {
                    let since = Instant::now();
                    let promise = appender.submit(maker.request(1)).await?;
                    loop {
                        match following.next(PATIENCE).await? {
                            Notice::Event(record)
                                if record.stream().is_some_and(|name| name.starts_with(maker.prefix())) =>
                            {
                                break;
                            }
                            _ if since.elapsed() > PATIENCE => return Err(lost()),
                            _ => {}
                        }
                    }
                    waits.add(since.elapsed());
                    promise.keep().await?;
                    promised.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Span { start, end: Instant::now() })
            }
        })?;
        let events = self.promised() - before - 1;
        Ok(Figures::new("subscribe", 1, events, Span::around([span])).with_waits(&waits))
    }
}

fn lost() -> Failure {
    let message = format!("an event was not delivered within {PATIENCE:?}: see the server's log");
    Failure::new(Status::Damage, "delivery", message)
}
