//! Events that a projection keeps until they are folded.

use super::Parked;
use crate::panics::guarded;
use crate::{DomainEvent, decode};
use gesta_model::{Damage, StoredEvent, Timestamp};

/// What is kept for a projection, whatever its events are.
pub(super) trait Keep: Send {
    /// Decodes an event and keeps it.
    fn take(&mut self, event: StoredEvent);
    /// The log has damage where events of the projection may have been.
    fn pass_damage(&mut self, damage: &Damage);
    /// Whether so much is kept that it is time to flush.
    fn is_full(&self) -> bool;
}

/// A batch of events, and the damage that was met among them.
pub(super) struct Kept<E> {
    pub(super) events: Vec<KeptEvent<E>>,
    bytes: usize,
    /// What is to be parked with the next flush.
    pub(super) damage: Vec<Parked>,
}

/// An event, and what was made of it: `None` for one to be passed over.
pub(super) struct KeptEvent<E> {
    pub(super) stored: StoredEvent,
    pub(super) decoded: Result<Option<E>, String>,
}

/// How many events are kept at most before they are flushed.
pub(super) const KEPT_COUNT_MAX: usize = if cfg!(test) { 16 } else { 4096 };
/// How many bytes of them, as they lie in the log. A projection that is behind has two batches in memory: one that is folded,
/// and one that is read meanwhile.
const KEPT_BYTES_MAX: usize = 8 << 20;

impl<E> Kept<E> {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.damage.is_empty()
    }
}

impl<E> Default for Kept<E> {
    fn default() -> Self {
        Self { events: Vec::new(), bytes: 0, damage: Vec::new() }
    }
}

impl<E: DomainEvent> KeptEvent<E> {
    /// Decodes an event; a panic is a reason like any other why that cannot be done.
    pub(super) fn new(stored: StoredEvent) -> Self {
        let decoded = guarded(|| decode(&stored.record()).map_err(|error| error.to_string()));
        Self { decoded: decoded.unwrap_or_else(|said| Err(panicked(&said))), stored }
    }
}

/// What is said of a projection that panicked.
pub(super) fn panicked(said: &str) -> String {
    format!("the projection panicked: {said}")
}

impl<E: DomainEvent + Send> Keep for Kept<E> {
    fn take(&mut self, event: StoredEvent) {
        self.bytes += event.byte_count();
        self.events.push(KeptEvent::new(event));
    }

    fn pass_damage(&mut self, damage: &Damage) {
        if damage.positions.is_empty() {
            // Whatever it is, no event is lost by it.
            return;
        }
        self.damage.push(Parked {
            position: damage.positions.start,
            event_type: String::new(),
            reason: damage.to_string(),
            attempts: 1,
            recorded_at: Timestamp::default(),
            is_news: false,
        });
    }

    fn is_full(&self) -> bool {
        self.events.len() >= KEPT_COUNT_MAX || self.bytes >= KEPT_BYTES_MAX
    }
}
