//! Everything, or what a query finds, again and again.

use super::events::{TAG, query};
use super::figures::Figures;
use super::line::Line;
use super::run::Run;
use crate::failure::{Failure, Status};
use gesta::Read;
use std::time::Instant;

/// What a read has come by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    /// All events.
    pub(super) events: u64,
    /// Bytes of their records.
    pub(super) bytes: u64,
    /// Events of this run.
    pub(super) own: u64,
    /// Those among them that the query is for.
    pub(super) own_tagged: u64,
}

impl Passed {
    /// Reads to the end.
    pub(super) async fn of(line: &Line, read: Read, prefix: &str) -> Result<Self, Failure> {
        let mut passed = Self::default();
        let mut walk = line.read(read).await?;
        while let Some(record) = walk.next_record().await {
            let record = record?;
            passed.events += 1;
            passed.bytes += record.bytes().len() as u64;
            if record.stream().is_some_and(|stream| stream.starts_with(prefix)) {
                passed.own += 1;
                passed.own_tagged += u64::from(record.tags().any(|tag| tag == TAG));
            }
        }
        Ok(passed)
    }
}

impl Run {
    pub(super) fn replay(&self) -> Result<Figures, Failure> {
        self.have_events()?;
        self.read_again_and_again("replay", &Read::all(), |passed| self.check(passed.own))
    }

    pub(super) fn filtered(&self) -> Result<Figures, Failure> {
        self.have_events()?;
        let expected = self.read_own()?.own_tagged;
        let read = Read::query(query()).from(self.start);
        self.read_again_and_again("filtered", &read, |passed| {
            if passed.own == expected {
                return Ok(());
            }
            let found = passed.own;
            let message = format!(
                "a query found {found} of {expected} events: something is wrong with the index, 'gesta index verify' \
                 reads every byte of it"
            );
            Err(Failure::new(Status::Damage, "count", message))
        })
    }

    /// Everything from the start of this run on.
    pub(super) fn read_own(&self) -> Result<Passed, Failure> {
        self.pass(&Read::all().from(self.start))
    }

    fn pass(&self, read: &Read) -> Result<Passed, Failure> {
        let (read, prefix) = (read.clone(), self.maker.prefix().to_owned());
        self.subject.alone(move |line| {
            let (read, prefix) = (read.clone(), prefix.clone());
            async move { Passed::of(&line, read, &prefix).await }
        })
    }

    /// Reads once at least, and until the time is over.
    fn read_again_and_again(
        &self,
        workload: &'static str,
        read: &Read,
        check: impl Fn(Passed) -> Result<(), Failure>,
    ) -> Result<Figures, Failure> {
        let (mut events, mut bytes) = (0, 0);
        let start = Instant::now();
        loop {
            let passed = self.pass(read)?;
            check(passed)?;
            events += passed.events;
            bytes += passed.bytes;
            let elapsed = start.elapsed();
            if elapsed >= self.settings.round {
                return Ok(Figures::new(workload, 1, events, elapsed).with_bytes(bytes));
            }
        }
    }
}
