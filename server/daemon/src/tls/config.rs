//! The configuration of now.
//!
//! What must stay true: a connection keeps the configuration that it began with; files that cannot be used change nothing.

use super::build::build;
use super::error::TlsError;
use super::files::TlsFiles;
use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use std::sync::Arc;

/// The TLS configuration of new connections, which can be read again.
pub struct TlsConfig {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
    reloading: Mutex<()>,
}

impl TlsConfig {
    /// Reads the files.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = build(&files, Timestamp::now())?;
        Ok(Self { files, current: RwLock::new(Arc::new(current)), reloading: Mutex::new(()) })
    }

    /// Reads the files again, for new connections. When they cannot be used, everything stays as it was: say so loudly.
    pub fn reload(&self) -> Result<(), TlsError> {
        // Of two reloads the one that read last has the last word; connections do not wait for either.
        let _alone = self.reloading.lock();
        let new = build(&self.files, Timestamp::now())?;
        *self.current.write() = Arc::new(new);
        Ok(())
    }

    /// What the next connection is to be accepted with.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read())
    }
}
