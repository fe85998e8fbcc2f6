//! Encryption: the server's certificate, and optionally those of the clients.
//!
//! ```text
//!  files      where the certificate, its key and the clients' roots lie
//!  build      files -> one rustls configuration, or what is wrong with which file
//!  validity   from when until when a certificate is good
//!  config     the configuration of now; reading the files again swaps it for new connections
//! ```
//!
//! TLS 1.2 and 1.3, nothing older. Sessions are never resumed and nothing is taken before the handshake is over: every
//! connection shows its certificates anew, so a certificate that has ended or a root that was taken out counts at once,
//! and nothing can be played again.

mod build;
mod config;
mod error;
mod files;
mod validity;

pub use config::TlsConfig;
pub use error::TlsError;
pub use files::TlsFiles;
