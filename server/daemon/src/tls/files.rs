//! Where the certificates lie.

use crate::settings::TlsSettings;
use std::path::PathBuf;

/// The files of a TLS configuration, all of them PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that lead to its root.
    pub certificate: PathBuf,
    /// The private key of the first of them.
    pub key: PathBuf,
    /// The roots of the clients' certificates; given, every client must show one.
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// The files that the settings name; none: the server speaks plain text.
    #[must_use]
    pub fn from_settings(settings: &TlsSettings) -> Option<Self> {
        let (certificate, key) = settings.certificate.clone().zip(settings.key.clone())?;
        Some(Self { certificate, key, client_ca: settings.client_ca.clone() })
    }
}
