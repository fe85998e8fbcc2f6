//! Somebody who was let in.

use crate::access::{Grant, Operation};
use crate::host::Host;
use crate::observe;
use crate::operator::Throttle;
use crate::stores::OpenStore;
use gesta_protocol::{Code, Plane, Refusal};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;

/// Somebody who was let in, and what they came for.
pub(crate) struct Session {
    pub(crate) host: Arc<Host>,
    pub(crate) plane: Plane,
    pub(crate) peer: SocketAddr,
    pub(crate) store: Arc<OpenStore>,
    pub(crate) grant: Grant,
    pub(crate) agent: String,
}

impl Session {
    /// Whether the client may do something now, by the tokens of now.
    pub(crate) fn allow(&mut self, operation: Operation) -> Result<(), Refusal> {
        let allowed = self.host.access.allow(&mut self.grant, operation, self.store.name.as_str(), Timestamp::now());
        allowed.map_err(|_| {
            self.host.observed(self.plane).refused(observe::Refusal::Denied);
            static THROTTLE: Throttle = Throttle::new();
            if let Some(suppressed) = THROTTLE.admit() {
                tracing::warn!(peer = %self.peer, ?operation, suppressed, "operation denied");
            }
            denied()
        })
    }

    /// What is told of the store.
    pub(crate) fn observed_store(&self) -> Arc<observe::StoreObservations> {
        self.host.observations.store(self.store.name.as_str())
    }
}

/// The one answer to all that is not allowed, whatever the reason.
pub(crate) fn denied() -> Refusal {
    Refusal::new(Code::Denied, "denied: present a token that is valid for this store and allows this operation")
}
