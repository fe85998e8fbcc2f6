//! An event of the domain with its place in the log.

use gesta_model::{Position, Record, Revision, Timestamp, Uuid};

/// An event of the domain as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded<'r, E> {
    /// The event.
    pub event: E,
    record: Record<'r>,
    recorded_at: Timestamp,
    is_news: bool,
}

impl<'r, E> Recorded<'r, E> {
    pub(crate) fn new(event: E, record: Record<'r>, recorded_at: Timestamp, is_news: bool) -> Self {
        Self { event, record, recorded_at, is_news }
    }

    /// Whether no version of the projection has gone over the event before: not so while a new version goes over what lies
    /// below the place where it takes over from an earlier one. What a version has parked stays news until it is folded, to
    /// that version or the next.
    #[must_use]
    pub fn is_news(&self) -> bool {
        self.is_news
    }

    /// Its place in the global order.
    #[must_use]
    pub fn position(&self) -> Position {
        self.record.position()
    }

    /// Its number within its stream.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.record.revision()
    }

    /// Its stream.
    #[must_use]
    pub fn stream(&self) -> Option<&'r str> {
        self.record.stream()
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.record.id()
    }

    /// When it happened, by its producer.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        self.record.time()
    }

    /// When the store took it.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// The record, with everything that was recorded.
    #[must_use]
    pub fn record(&self) -> &Record<'r> {
        &self.record
    }
}
