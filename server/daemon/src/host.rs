//! What all connections of a server share.

use crate::access::Access;
use crate::observe::{self, Observations};
use crate::plane::Room;
use crate::settings::LimitSettings;
use crate::stores::Shelf;
use crate::tls::TlsConfig;
use gesta_protocol::Plane;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// What all connections of a server share.
pub(crate) struct Host {
    pub(crate) limits: LimitSettings,
    pub(crate) access: Access,
    /// None: plain text.
    pub(crate) tls: Option<TlsConfig>,
    pub(crate) shelf: Shelf,
    pub(crate) observations: Arc<Observations>,
    /// Turns true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
    /// For appends that come in, until they are answered.
    pub(crate) append_room: Room,
    /// For what comes in on the read plane, where hardly anything is large.
    pub(crate) read_room: Room,
    /// Stores that are being opened: whoever waits for one leaves threads to the others.
    pub(crate) opening: Semaphore,
    /// Told when tokens were read again: what goes on by the old ones looks whether it may.
    pub(crate) reloaded: watch::Sender<()>,
    /// Long work, such as reading every byte of a store: one at a time.
    pub(crate) long_work: Arc<Semaphore>,
}

impl Host {
    /// What is told of a plane.
    pub(crate) fn observed(&self, plane: Plane) -> &Arc<observe::PlaneObservations> {
        self.observations.plane(match plane {
            Plane::Append => observe::Plane::Append,
            Plane::Read => observe::Plane::Read,
        })
    }
}

/// Waits until the server stops.
pub(crate) async fn stop_of(mut stopping: watch::Receiver<bool>) {
    // A server that has gone has stopped.
    let _ = stopping.wait_for(|stops| *stops).await;
}
