//! What a step of a measurement comes to: it works, or the run ends with its error.

use std::error::Error;

/// A result whose error is only ever shown to a person.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
