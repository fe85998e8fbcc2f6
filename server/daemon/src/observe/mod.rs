//! What the server tells about itself: counters, gauges, response times, and whether it is fit to serve.
//!
//! ```text
//!  planes ------ connections, requests, bytes, events, refusals --\
//!  operations -- response times, by durability and by operation ---+--> Observations --> Snapshot      (JSON)
//!  store ------- commits, through CommitObserver -----------------/         |        --> exposition    (OpenMetrics)
//!                                                                           v
//!                                                                        Health      --> why the server is not ready
//! ```
//!
//! Observing takes no lock and no memory; whoever looks pays. Every gauge that falls again is a guard, so that a task
//! that ends early, by a panic too, leaves nothing behind.

mod distribution;
mod exposition;
mod health;
mod observations;
mod plane;
mod refusal;
mod shown;
mod snapshot;
mod store_observations;
mod subscribers;

pub use health::Health;
pub use observations::Observations;
pub(crate) use observations::error_logged;
pub use plane::{OpenConnection, Plane, PlaneObservations, RequestInFlight};
pub use refusal::Refusal;
pub use shown::Shown;
pub use snapshot::{
    CommandLatency, CommitSnapshot, EventBytes, Latency, PlaneSnapshot, PlanesSnapshot, QueryLatency, ScrubSnapshot,
    Snapshot, Spread, StoreBytes, StoreSnapshot, SubscriberSnapshot, SubscribersSnapshot,
};
pub use store_observations::{Operation, StoreObservations};
pub use subscribers::Subscriber;

#[cfg(test)]
mod observe_test;
