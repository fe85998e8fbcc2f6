//! Callers that append, and the times they wait.

use super::events::EventMaker;
use super::figures::{Figures, Span, Waits};
use super::line::{Line, Promise};
use super::run::Run;
use crate::failure::Failure;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Barrier;

/// How a caller appends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    /// Requests without their receipt.
    pub(super) requests: usize,
    /// Events of a request.
    pub(super) events: usize,
}

/// One event, then the next one.
pub(super) const SINGLE: Pattern = Pattern { requests: 1, events: 1 };
const PIPELINED: Pattern = Pattern { requests: 8, events: 100 };

/// What one caller needs for its work.
pub(super) struct Appender {
    pattern: Pattern,
    maker: EventMaker,
    round: Duration,
    promised: Arc<AtomicU64>,
    waits: Arc<Waits>,
    /// All begin at once, when each is connected.
    begin: Arc<Barrier>,
}

impl Appender {
    /// Appends until its time is over.
    pub(super) async fn append(mut self, line: Line) -> Result<Span, Failure> {
        let warm_up = self.warm_up(&line).await;
        self.begin.wait().await;
        warm_up?;
        let mut flight: VecDeque<(Instant, Promise)> = VecDeque::with_capacity(self.pattern.requests);
        let start = Instant::now();
        loop {
            while flight.len() < self.pattern.requests && start.elapsed() < self.round {
                let since = Instant::now();
                let promise = line.submit(self.maker.request(self.pattern.events)).await?;
                flight.push_back((since, promise));
            }
            let Some((since, promise)) = flight.pop_front() else { break };
            promise.keep().await?;
            self.waits.add(since.elapsed());
            self.note_receipt();
        }
        Ok(Span { start, end: Instant::now() })
    }

    /// Makes the connection and fills the caches, before any clock starts.
    async fn warm_up(&mut self, line: &Line) -> Result<(), Failure> {
        line.submit(self.maker.request(self.pattern.events)).await?.keep().await?;
        self.note_receipt();
        Ok(())
    }

    fn note_receipt(&self) {
        // Relaxed: a count, read when all appenders have ended.
        self.promised.fetch_add(self.pattern.events as u64, Ordering::Relaxed);
    }
}

impl Run {
    pub(super) fn append(&self) -> Result<Figures, Failure> {
        self.append_as("append", SINGLE)
    }

    pub(super) fn pipelined(&self) -> Result<Figures, Failure> {
        self.append_as("pipelined", PIPELINED)
    }

    /// Appends what reads are to find, if nothing was appended yet.
    pub(super) fn have_events(&self) -> Result<(), Failure> {
        if self.promised() == 0 { self.pipelined().map(|_| ()) } else { Ok(()) }
    }

    fn append_as(&self, workload: &'static str, pattern: Pattern) -> Result<Figures, Failure> {
        let waits = Arc::new(Waits::new());
        let appender = self.appenders(pattern, &waits);
        let before = self.promised();
        let spans = self.subject.together(self.settings.connections, |line, ordinal| appender(ordinal).append(line))?;
        Ok(self.figures(workload, pattern, before, Span::around(spans), &waits))
    }

    /// What callers begin with: as many as there are connections must, or all wait.
    pub(super) fn appenders(&self, pattern: Pattern, waits: &Arc<Waits>) -> impl Fn(usize) -> Appender {
        let begin = Arc::new(Barrier::new(self.settings.connections));
        move |ordinal| Appender {
            pattern,
            maker: self.maker.starting_at(ordinal),
            round: self.settings.round,
            promised: Arc::clone(&self.promised),
            waits: Arc::clone(waits),
            begin: Arc::clone(&begin),
        }
    }

    /// What appends came to; those that warmed up are not among them.
    pub(super) fn figures(
        &self,
        workload: &'static str,
        pattern: Pattern,
        before: u64,
        elapsed: Duration,
        waits: &Waits,
    ) -> Figures {
        let connections = self.settings.connections;
        let warm_up = (connections * pattern.events) as u64;
        let events = self.promised() - before - warm_up;
        Figures::new(workload, connections, events, elapsed).with_waits(waits)
    }
}
