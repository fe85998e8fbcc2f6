//! Why the server turned somebody away: a closed list, so that it can be counted.

macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// Why a connection or a request was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Refusal {
            /// Every reason, in the order of the counters.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name in metrics and snapshots.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

refusals! {
    /// The role does not allow it, or the token is not known.
    Denied = "denied",
    /// Too many failed tokens from one address.
    TooManyFailures = "too_many_failures",
    /// A frame, a request or an event beyond its limit.
    TooLarge = "too_large",
    /// The plane has as many connections as it may.
    TooManyConnections = "too_many_connections",
    /// One address has as many connections as it may.
    TooManyFromAddress = "too_many_from_address",
    /// The process is out of descriptors.
    NoDescriptors = "no_descriptors",
    /// More requests under way than a connection or the plane may have.
    InFlight = "in_flight",
    /// A subscriber took too little for too long.
    SlowReader = "slow_reader",
    /// The hello did not come in time.
    HandshakeTimeout = "handshake_timeout",
    /// The TLS handshake failed, or plain text came where TLS was due.
    Tls = "tls",
    /// Nothing came for too long.
    IdleTimeout = "idle_timeout",
    /// What came is not the protocol.
    Protocol = "protocol",
    /// The protocol's version is not spoken here.
    Version = "version",
    /// There is no store of this name.
    UnknownStore = "unknown_store",
    /// The store takes no appends: its writer is poisoned, or it is damaged.
    StoreFailed = "store_failed",
    /// The disk is full.
    StorageFull = "storage_full",
    /// The server is about to stop.
    Draining = "draining",
}

impl Refusal {
    /// How many reasons there are.
    pub(crate) const COUNT: usize = Self::ALL.len();
}
