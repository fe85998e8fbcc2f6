//! Failures that are no fault of the event at hand.

use super::ProjectError;
use thiserror::Error;

/// Something failed that is no fault of the event at hand: it is not parked, but tried again after a while.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct TryLater(pub ProjectError);
