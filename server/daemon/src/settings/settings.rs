//! The tree of settings, as the rest of the server reads it. Sizes are bytes; what ends in `_ms` is milliseconds.

use super::error::SettingsError;
use super::loaded::Loaded;
use super::log_settings::LogSettings;
use gesta::{Limits, ScrubOptions, ScrubRate};
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// Everything that the server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory that the stores lie in.
    pub dir: Option<PathBuf>,
    /// Whether that directory may lie on another machine.
    pub allow_network_dir: bool,
    /// Where the append plane listens.
    pub append: SocketAddr,
    /// Where the read plane listens.
    pub read: SocketAddr,
    /// Where the operator's port listens; none by default.
    pub http: Option<SocketAddr>,
    /// Whether plain text may leave this machine.
    pub insecure: bool,
    /// Whether stores that are made from now on find events by their ids.
    pub index_event_ids: bool,
    /// Threads of the append plane.
    pub append_threads: usize,
    /// Threads of the read plane.
    pub read_threads: usize,
    /// Encryption.
    pub tls: TlsSettings,
    /// Who may do what.
    pub access: AccessSettings,
    /// How much of everything.
    pub limits: LimitSettings,
    /// How what was sealed is read again.
    pub scrub: ScrubSettings,
    /// The log of the server.
    pub log: LogSettings,
}

/// The files of the server's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate and those that lead to its root, as PEM; none: plain text.
    pub certificate: Option<PathBuf>,
    /// The private key of the certificate, as PEM.
    pub key: Option<PathBuf>,
    /// The roots of the clients' certificates, as PEM; given, every client must show one.
    pub client_ca: Option<PathBuf>,
}

/// Who may do what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// The file of tokens; none: whoever is on this machine may do everything.
    pub tokens: Option<PathBuf>,
}

/// How much of everything the server takes before it refuses more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Bytes of a frame, once a client has shown who it is.
    pub frame_bytes_max: usize,
    /// Bytes of the first frame, from a client that nobody knows yet.
    pub hello_bytes_max: usize,
    /// Connections of the append plane.
    pub append_connections_max: usize,
    /// Connections of the read plane.
    pub read_connections_max: usize,
    /// Connections from one address to one plane.
    pub connections_per_address_max: usize,
    /// Unanswered requests of one connection.
    pub requests_in_flight_max: usize,
    /// Bytes of all unanswered appends together.
    pub append_bytes_in_flight_max: usize,
    /// Bytes that wait for a slow reader, for each of its connections.
    pub read_bytes_buffered_max: usize,
    /// How long a client may take to encrypt and say hello.
    pub handshake_timeout_ms: u64,
    /// How long a connection may be silent.
    pub idle_timeout_ms: u64,
    /// How often the server says that it is there.
    pub heartbeat_ms: u64,
    /// How long a reader may take nothing before it is told where to resume.
    pub slow_reader_timeout_ms: u64,
    /// How long a stopping server waits for its connections.
    pub stop_timeout_ms: u64,
    /// Stores that are open at a time.
    pub stores_open_max: usize,
    /// Bytes of an event's data.
    pub data_bytes_max: usize,
    /// Bytes of an event's metadata.
    pub metadata_bytes_max: usize,
    /// Events of one append request.
    pub request_events_max: usize,
    /// Encoded bytes of one append request.
    pub request_bytes_max: usize,
}

/// How the stores that are open are read again in the background, to find damage before a reader does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrubSettings {
    /// How many bytes a second are read, of all stores together; 0: nothing is.
    pub bytes_per_second: usize,
    /// How long after the beginning of a pass over a store the next one begins.
    pub interval_hours: usize,
}

impl ScrubSettings {
    /// The same for the stores, which share the rate when they are given clones of this.
    pub(crate) fn options(&self) -> Option<ScrubOptions> {
        let rate = NonZeroU64::new(self.bytes_per_second as u64)?;
        let interval = Duration::from_secs(self.interval_hours as u64 * 60 * 60);
        Some(ScrubOptions { rate: ScrubRate::new(rate), interval })
    }
}

impl Settings {
    /// Puts the settings together: defaults, then the file, then the environment, then the flags; the later one wins.
    ///
    /// Of the environment, variables that begin with `GESTA_` are settings (`GESTA_LIMITS_FRAME_BYTES_MAX`), but for
    /// `GESTA_STORE` and `GESTA_TOKEN`, which speak to the client. Flags are keys with their values.
    pub fn load<N: Into<OsString>, V: Into<OsString>>(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (N, V)>,
        flags: &[(&str, String)],
    ) -> Result<Loaded, SettingsError> {
        let environment = environment.into_iter().map(|(name, value)| (name.into(), value.into()));
        Loaded::from_sources(file, environment, flags)
    }

    /// The directory that the stores lie in, which a server cannot do without.
    pub fn directory(&self) -> Result<&Path, SettingsError> {
        self.dir.as_deref().ok_or(SettingsError::NoDirectory)
    }
}

impl LimitSettings {
    /// The bounds of what a store takes.
    #[must_use]
    pub fn events(&self) -> Limits {
        Limits {
            data_bytes_max: self.data_bytes_max,
            metadata_bytes_max: self.metadata_bytes_max,
            request_events_max: self.request_events_max,
            request_bytes_max: self.request_bytes_max,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dir: None,
            allow_network_dir: false,
            append: SocketAddr::from((Ipv4Addr::LOCALHOST, 4701)),
            read: SocketAddr::from((Ipv4Addr::LOCALHOST, 4702)),
            http: None,
            insecure: false,
            index_event_ids: false,
            append_threads: 2,
            read_threads: 4,
            tls: TlsSettings::default(),
            access: AccessSettings::default(),
            limits: LimitSettings::default(),
            scrub: ScrubSettings::default(),
            log: LogSettings::default(),
        }
    }
}

impl Default for ScrubSettings {
    /// A pass a week, which at this rate has time for close to five terabytes.
    fn default() -> Self {
        Self { bytes_per_second: 8 * MIB, interval_hours: 7 * 24 }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        let events = Limits::default();
        Self {
            frame_bytes_max: 34 * MIB,
            hello_bytes_max: 4096,
            append_connections_max: 4096,
            read_connections_max: 4096,
            connections_per_address_max: 1024,
            requests_in_flight_max: 1024,
            append_bytes_in_flight_max: 256 * MIB,
            read_bytes_buffered_max: 4 * MIB,
            handshake_timeout_ms: 5_000,
            idle_timeout_ms: 60_000,
            heartbeat_ms: 15_000,
            slow_reader_timeout_ms: 30_000,
            stop_timeout_ms: 5_000,
            stores_open_max: 64,
            data_bytes_max: events.data_bytes_max,
            metadata_bytes_max: events.metadata_bytes_max,
            request_events_max: events.request_events_max,
            request_bytes_max: events.request_bytes_max,
        }
    }
}
