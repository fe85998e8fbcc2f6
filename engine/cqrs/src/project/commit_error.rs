//! Why a read model did not commit.

use super::ProjectError;
use std::fmt::Display;
use thiserror::Error;

/// Why a read model did not commit. Nothing was changed, unless the way to a database broke while it committed: then its
/// checkpoint tells.
#[derive(Debug, Error)]
pub enum CommitError<E: Display> {
    /// The projection could not fold an event.
    #[error("{0}")]
    Work(ProjectError),
    /// The projection does not stand where this runner left it: another one has gone on with it.
    #[error("another runner has gone on with the projection")]
    Moved,
    /// A later version of the projection has taken over.
    #[error("version {by} of the projection has taken over")]
    Superseded {
        /// The version that serves now.
        by: u32,
    },
    /// The read model failed.
    #[error("{0}")]
    Model(E),
}
