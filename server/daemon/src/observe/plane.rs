//! What one of the two planes does: connections, requests, bytes, events, refusals.

use super::refusal::Refusal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One of the two halves of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// Takes commands.
    Append,
    /// Serves queries, subscriptions and replays.
    Read,
}

impl Plane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Append, Self::Read];

    /// The name in metrics and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Read => "read",
        }
    }
}

/// The counters of a plane. Each stands alone and is Relaxed: nothing is published through them.
#[derive(Debug, Default)]
#[repr(align(128))] // The planes must not fight over a cache line.
pub struct PlaneObservations {
    pub(crate) connections_opened: AtomicU64,
    pub(crate) connections_open: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) requests_in_flight: AtomicU64,
    pub(crate) received_bytes: AtomicU64,
    pub(crate) sent_bytes: AtomicU64,
    pub(crate) received_events: AtomicU64,
    pub(crate) sent_events: AtomicU64,
    refusals: [AtomicU64; Refusal::COUNT],
}

impl PlaneObservations {
    /// Counts a connection that was let in, and holds it as open.
    #[must_use]
    pub fn connection(self: &Arc<Self>) -> OpenConnection {
        self.connections_opened.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        OpenConnection { plane: Arc::clone(self) }
    }

    /// Counts a request, and holds it as under way.
    #[must_use]
    pub fn request(self: &Arc<Self>) -> RequestInFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.requests_in_flight.fetch_add(1, Ordering::Relaxed);
        RequestInFlight { plane: Arc::clone(self) }
    }

    /// Counts bytes that came in, and the events among them.
    pub fn received(&self, bytes: usize, events: usize) {
        self.received_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.received_events.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Counts bytes that went out, and the events among them.
    pub fn sent(&self, bytes: usize, events: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.sent_events.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Counts a refusal.
    pub fn refused(&self, refusal: Refusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was refused for which reason.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (Refusal, u64)> {
        Refusal::ALL.iter().map(|refusal| (*refusal, self.refusals[*refusal as usize].load(Ordering::Relaxed)))
    }
}

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub struct OpenConnection {
    plane: Arc<PlaneObservations>,
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.plane.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub struct RequestInFlight {
    plane: Arc<PlaneObservations>,
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.plane.requests_in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
