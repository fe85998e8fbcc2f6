//! Why a store was not closed cleanly.

use std::io;
use std::sync::Arc;
use thiserror::Error;

/// Why a store was not closed cleanly. Everything that was acknowledged as durable is durable all the same.
#[derive(Clone, Debug, Error)]
#[error("the store could not be closed cleanly ({cause}): it will be recovered when it is opened again")]
pub struct CloseError {
    /// What the disk said.
    pub cause: Arc<io::Error>,
}
