//! Reads of few events among many.

use super::history::History;
use super::subject::Subject;
use crate::outcome::Outcome;
use crate::sample::{Latency, Sample};
use crate::workload::Workload;
use gesta::{Position, Query, Read, Record};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The whole of one stream, against the same records in one piece.
pub(super) struct StreamRead<'s> {
    subject: &'s Subject,
    /// The records one after another, and where each of them stood.
    piece: Vec<u8>,
    positions: Vec<Position>,
}

impl<'s> StreamRead<'s> {
    const REPEAT_COUNT: usize = 100;

    /// Copies the stream's records into one piece.
    pub(super) fn new(subject: &'s Subject) -> Outcome<Self> {
        let (mut piece, mut positions) = (Vec::new(), Vec::new());
        let mut cursor = subject.store.read(Read::stream(subject.history.ledger().clone()));
        while let Some(record) = cursor.next_record() {
            let record = record?;
            piece.extend_from_slice(record.bytes());
            piece.resize(piece.len().next_multiple_of(8), 0);
            positions.push(record.position());
        }
        assert_eq!(positions.len() as u64, History::LEDGER_COUNT, "the stream is as long as it should be");
        Ok(Self { subject, piece, positions })
    }
}

impl Workload for StreamRead<'_> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        repeat(Self::REPEAT_COUNT, History::LEDGER_COUNT, || {
            let mut offset = 0;
            for position in &self.positions {
                let (record, taken) = Record::decode(&self.piece[offset..], *position)?;
                record.verify()?;
                black_box(record.data());
                offset += taken;
            }
            assert_eq!(offset, self.piece.len(), "the records fill the piece");
            Ok(self.positions.len() as u64)
        })
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        repeat(Self::REPEAT_COUNT, History::LEDGER_COUNT, || {
            let mut event_count = 0;
            let mut cursor = self.subject.store.read(Read::stream(self.subject.history.ledger().clone()));
            while let Some(record) = cursor.next_record() {
                black_box(record?.data());
                event_count += 1;
            }
            Ok(event_count)
        })
    }
}

/// A query, against looking at every event.
pub(super) struct QueryRead<'s> {
    subject: &'s Subject,
    query: Query,
    match_count: u64,
}

impl<'s> QueryRead<'s> {
    const REPEAT_COUNT: usize = 20;

    /// A query that so many events match.
    pub(super) fn new(subject: &'s Subject, query: impl Into<Query>, match_count: u64) -> Self {
        Self { subject, query: query.into(), match_count }
    }
}

impl Workload for QueryRead<'_> {
    fn yardstick(&mut self) -> Outcome<Sample> {
        repeat(1, self.match_count, || {
            let mut event_count = 0;
            let mut cursor = self.subject.store.read(Read::all());
            while let Some(record) = cursor.next_record() {
                let record = record?;
                if self.query.matches(&record) {
                    black_box(record.data());
                    event_count += 1;
                }
            }
            Ok(event_count)
        })
    }

    fn gesta(&mut self) -> Outcome<Sample> {
        repeat(Self::REPEAT_COUNT, self.match_count, || {
            let mut event_count = 0;
            let mut cursor = self.subject.store.read(Read::query(self.query.clone()));
            while let Some(record) = cursor.next_record() {
                black_box(record?.data());
                event_count += 1;
            }
            Ok(event_count)
        })
    }
}

/// Reads several times; each read finds so many events, and counts as one wait.
fn repeat(repeat_count: usize, event_count: u64, mut read: impl FnMut() -> Outcome<u64>) -> Outcome<Sample> {
    let (mut latency, mut elapsed) = (Latency::default(), Duration::ZERO);
    for _ in 0..repeat_count {
        let start = Instant::now();
        let found = read()?;
        let waited = start.elapsed();
        assert_eq!(found, event_count, "a read finds what is there");
        latency.add_unsynced(waited);
        elapsed += waited;
    }
    Ok(Sample { event_count: event_count * repeat_count as u64, elapsed, latency })
}
