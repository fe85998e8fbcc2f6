//! Why certificates are not used. Every text names the file.

use crate::settings::SecretFileError;
use jiff::Timestamp;
use std::io;

/// Why certificates are not used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate file cannot be read.
    #[error("{path}: cannot read it ({source}): check the path and its permissions")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file of the private key cannot be read, or others may read it.
    #[error(transparent)]
    Key(#[from] SecretFileError),
    /// A file that does not hold what it should.
    #[error("{path}: {what}: give a file in PEM")]
    NotPem {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The server's certificate has ended.
    #[error("{path}: the certificate expired at {since}: put a new one there")]
    Expired {
        /// The file.
        path: String,
        /// When it ended.
        since: Timestamp,
    },
    /// The server's certificate has not begun.
    #[error("{path}: the certificate is good from {from} on only: check the clock, or put another one there")]
    NotYetValid {
        /// The file.
        path: String,
        /// When it begins.
        from: Timestamp,
    },
    /// The key is another certificate's.
    #[error("{key}: not the private key of the certificate in {certificate}: give the two that belong together")]
    KeyMismatch {
        /// The file of the certificate.
        certificate: String,
        /// The file of the key.
        key: String,
    },
    /// A certificate or a key that cannot be used.
    #[error("{path}: cannot be used ({what}): give an X.509 certificate, and an RSA, ECDSA or Ed25519 key")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}
