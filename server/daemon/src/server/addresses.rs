//! Where a server listens.

use serde::Serialize;
use std::net::SocketAddr;

/// Where a server listens, with the ports that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// The append plane.
    pub append: SocketAddr,
    /// The read plane.
    pub read: SocketAddr,
    /// The operator's port, if there is one.
    pub http: Option<SocketAddr>,
}
