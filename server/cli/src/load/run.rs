//! One workload after another on one store.
//!
//! What must stay true: what a run appended is counted twice, by its receipts and by reading it back, and both agree.

use super::events::EventMaker;
use super::figures::Figures;
use super::subject::Subject;
use crate::failure::{Failure, Status};
use gesta::{Position, Uuid};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is done with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Workload {
    /// Durable appends, one event a request, each caller waiting for its receipt
    Append,
    /// Durable appends of 100 events a request, several requests of a caller in flight
    Pipelined,
    /// Everything that the store holds, read in order
    Replay,
    /// The events that a query finds, one in ten of those appended
    Filtered,
    /// From an append's call to the event in a subscriber's hands
    Subscribe,
    /// Appends alone, and beside four readers without pause
    Planes,
    /// One after another
    All,
}

impl Workload {
    const EACH: [Self; 6] =
        [Self::Append, Self::Pipelined, Self::Replay, Self::Filtered, Self::Subscribe, Self::Planes];
}

/// How a run loads the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunSettings {
    /// Callers at once.
    pub(crate) connections: usize,
    /// How long a workload takes, or each half of one that has two.
    pub(crate) round: Duration,
    /// Bytes of data of each event.
    pub(crate) event_bytes: usize,
}

/// A run on one store.
pub(crate) struct Run {
    pub(super) subject: Subject,
    pub(super) settings: RunSettings,
    pub(super) maker: EventMaker,
    /// The events of this run stand from here on.
    pub(super) start: Position,
    /// Events that receipts were given for.
    pub(super) promised: Arc<AtomicU64>,
}

impl Run {
    /// A run on a store; nothing is appended yet.
    pub(crate) fn new(subject: Subject, run: Uuid, settings: RunSettings) -> Result<Self, Failure> {
        let start = subject.alone(|line| async move { line.head().await })?;
        let maker = EventMaker::new(run, settings.event_bytes);
        Ok(Self { subject, settings, maker, start, promised: Arc::default() })
    }

    /// How many events the store had before.
    pub(crate) fn earlier_events(&self) -> u64 {
        self.start.0
    }

    /// Loads the store, and tells of each figure as soon as it is there.
    pub(crate) fn load(
        &self,
        workload: Workload,
        tell: &mut impl FnMut(Figures) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match workload {
            Workload::All => Workload::EACH.into_iter().try_for_each(|workload| self.load(workload, tell)),
            Workload::Append => tell(self.append()?),
            Workload::Pipelined => tell(self.pipelined()?),
            Workload::Replay => tell(self.replay()?),
            Workload::Filtered => tell(self.filtered()?),
            Workload::Subscribe => tell(self.subscribe()?),
            Workload::Planes => self.planes()?.into_iter().try_for_each(tell),
        }
    }

    /// Events that receipts were given for.
    pub(super) fn promised(&self) -> u64 {
        // Relaxed: whoever counted was waited for.
        self.promised.load(Ordering::Relaxed)
    }

    /// Reads back what was appended; tells how many events that are, every one of which was promised.
    pub(crate) fn count(&self) -> Result<u64, Failure> {
        let read = self.read_own()?;
        self.check(read.own)?;
        Ok(read.own)
    }

    /// Whether as many events were read as were promised.
    pub(super) fn check(&self, counted: u64) -> Result<(), Failure> {
        let promised = self.promised();
        if counted == promised {
            return Ok(());
        }
        let message = format!(
            "receipts were given for {promised} events and {counted} are in the store: something is wrong with the \
             store, 'gesta verify' reads every byte of it"
        );
        Err(Failure::new(Status::Damage, "count", message))
    }

    /// Ends the run.
    pub(crate) fn close(self) -> Result<(), Failure> {
        self.subject.close()
    }
}
