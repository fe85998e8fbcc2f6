//! What a step comes to.

use std::error::Error;

/// It works, or the program ends with its error.
pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;
