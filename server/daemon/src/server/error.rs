//! Why a server does not start.

use crate::access::TokenFileError;
use crate::settings::SettingsError;
use crate::stores::StoreError;
use crate::tls::TlsError;
use std::io;
use std::net::SocketAddr;
use thiserror::Error;

/// Why a server does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting does not allow it.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The file of tokens cannot be used.
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The stores cannot be used.
    #[error(transparent)]
    Stores(#[from] StoreError),
    /// A port cannot be had.
    #[error("cannot listen on {address} for {what}: {error}: choose another port, or stop who has it")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// For what.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
    /// A thread cannot be had.
    #[error("cannot start a thread: {0}: look after the limits of the system")]
    Threads(io::Error),
}
