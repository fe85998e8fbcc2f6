//! Why a client cannot be made; nothing was sent.

use std::path::PathBuf;
use thiserror::Error;

/// Why a client cannot be made; nothing was sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// What is sent could be read on the way, token and events alike.
    #[error(
        "{host} is another machine, and without TLS everything sent there could be read on the way: set up TLS, or allow \
         plain text with `insecure`"
    )]
    PlainText {
        /// The host.
        host: String,
    },
    /// No authority is trusted.
    #[error("TLS without an authority to trust: name a PEM file with the certificate of the server's authority")]
    NoAuthority,
    /// A file cannot be read, or does not hold what it should.
    #[error("{}: {what}: name a PEM file that holds it", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The certificate and the key of the client cannot be used.
    #[error("the client's certificate {} and its key cannot be used: {what}", path.display())]
    Certificate {
        /// The file of the certificate.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The name that the server's certificate should be for is none.
    #[error("{name:?} is no name that a certificate can be for: set the server name of the TLS options")]
    ServerName {
        /// The name.
        name: String,
    },
    /// The operating system has no thread or no room for one.
    #[error("the client's thread cannot be started: {error}")]
    Thread {
        /// What the system said.
        error: std::io::Error,
    },
}
