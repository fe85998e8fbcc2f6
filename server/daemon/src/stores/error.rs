//! Why a store of the server cannot be used.

use super::name::StoreNameError;
use gesta::OpenError;
use gesta_protocol::{Code, Refusal};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;

/// Why a store of the server cannot be used.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No store can have this name.
    #[error(transparent)]
    Name(#[from] StoreNameError),
    /// There is no store of this name.
    #[error("there is no store {name:?}: an operator creates it, or check the name")]
    Unknown {
        /// The name.
        name: String,
    },
    /// There is a store of this name already.
    #[error("there is a store {name:?} already: choose another name, or use it as it is")]
    Exists {
        /// The name.
        name: String,
    },
    /// As many stores are open as may be.
    #[error("{max} stores are open, as many as may be: raise limits.stores_open_max, or restart the server")]
    TooMany {
        /// How many may be open.
        max: usize,
    },
    /// The store cannot be opened.
    #[error("cannot open the store {name:?}: {error}")]
    Open {
        /// The name.
        name: String,
        /// Why not.
        error: Arc<OpenError>,
    },
    /// The server stops.
    #[error("the server is stopping: connect again later")]
    Stopping,
    /// The directory of the server cannot be used.
    #[error("{}: {what}: {error}: check the path, its permissions and the disk", path.display())]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// What the system said.
        error: Arc<io::Error>,
    },
    /// Another server runs on the directory.
    #[error("{}: another server runs on this directory: stop it, or choose another directory", path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// The directory lies on the disks of another machine.
    #[error(
        "{}: this directory lies on {file_system}, on another machine: a sync or a lock there need not mean what it says, so \
         that events could be lost; choose a directory on a disk of this machine, or set allow_network_dir = true where that \
         machine is trusted with both", path.display()
    )]
    OnAnotherMachine {
        /// The directory.
        path: PathBuf,
        /// What the file system is called.
        file_system: &'static str,
    },
    /// The directory is a store, not the place of stores.
    #[error(
        "{}: this directory is itself a store: a server keeps its stores in directories below its own; give it the \
         directory above, with the store in one named `default`", path.display()
    )]
    IsAStore {
        /// The directory.
        path: PathBuf,
    },
}

impl From<&StoreError> for Refusal {
    /// What a client is told: no path of the server's.
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Name(_) => Self::new(Code::StoreName, error),
            StoreError::Unknown { .. } => Self::new(Code::UnknownStore, error),
            StoreError::Exists { .. } => Self::new(Code::StoreExists, error),
            StoreError::TooMany { .. } => Self::new(Code::TooManyStores, error),
            StoreError::Stopping => Self::new(Code::Stopping, error),
            StoreError::Open { name, .. } => {
                Self::new(Code::StoreUnavailable, format!("the store {name:?} cannot be opened: see the server's log"))
            }
            StoreError::Directory { .. }
            | StoreError::InUse { .. }
            | StoreError::IsAStore { .. }
            | StoreError::OnAnotherMachine { .. } => {
                Self::new(Code::StoreUnavailable, "the server's directory cannot be used: see the server's log")
            }
        }
    }
}
