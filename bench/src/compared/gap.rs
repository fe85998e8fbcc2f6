//! Why there is no figure.

use serde::Serialize;

/// Why a round came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The store has no such thing.
    Lacks(String),
    /// It should have worked.
    Failed(String),
}

/// The exit status of a program whose store has no such thing.
pub(super) const LACKS: i32 = 3;

impl Gap {
    pub(super) fn failed(error: &impl ToString) -> Self {
        Self::Failed(error.to_string())
    }
}
