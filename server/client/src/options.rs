//! How a client is to behave.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a client is to behave, and as whom.
///
/// ```
/// # use gesta_client::ClientOptions;
/// # use std::time::Duration;
/// let options = ClientOptions { token: Some("tiger".into()), retry_for: Duration::from_secs(5), ..Default::default() };
/// assert!(!format!("{options:?}").contains("tiger"));
/// ```
#[derive(Clone)]
pub struct ClientOptions {
    /// What the client shows to be let in.
    pub token: Option<String>,
    /// Encrypts the connections; none: plain text.
    pub tls: Option<Tls>,
    /// Allows plain text to another machine, token included.
    pub insecure: bool,
    /// How long a request is tried again after the connection to the server could not be made or broke.
    pub retry_for: Duration,
    /// How long one try to connect may take, handshakes included.
    pub connect_timeout: Duration,
    /// How long an append or a question may be without its answer; none: as long as the server shows that it lives. Events of
    /// reads are not bound by it.
    pub request_timeout: Option<Duration>,
    /// How many bytes of events a read fetches ahead.
    pub window_bytes: u32,
    /// How many bytes of appends may be without their answer before further ones wait.
    pub unanswered_bytes_max: usize,
    /// What the client's program calls itself in the server's log.
    pub agent: String,
}

/// Whom an encrypted connection trusts, and as whom it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM files with the certificates of the authorities that a server's certificate may come from.
    pub ca_files: Vec<PathBuf>,
    /// PEM files with the client's certificate chain and its key, for servers that ask for it.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// The name that the server's certificate is for, if it is not the host of the address.
    pub server_name: Option<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            token: None,
            tls: None,
            insecure: false,
            retry_for: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            request_timeout: None,
            window_bytes: 4 << 20,
            unanswered_bytes_max: 64 << 20,
            agent: concat!("gesta-client ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientOptions")
            .field("token", &self.token.as_ref().map(|_| "secret"))
            .field("tls", &self.tls)
            .field("insecure", &self.insecure)
            .field("retry_for", &self.retry_for)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("window_bytes", &self.window_bytes)
            .field("unanswered_bytes_max", &self.unanswered_bytes_max)
            .field("agent", &self.agent)
            .finish()
    }
}
