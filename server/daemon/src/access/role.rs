//! What a token may stand for.

use std::fmt;
use std::str::FromStr;

/// One kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Appends, and reads nothing; it may wait for a projection.
    Appender,
    /// Reads, and appends nothing.
    Reader,
    /// Reads to fold projections, and tells how they are doing.
    Projector,
    /// Everything.
    Operator,
}

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no role {found:?}: give appender, reader, projector or operator")]
pub struct UnknownRole {
    /// The word.
    pub found: String,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Appender, Self::Reader, Self::Projector, Self::Operator];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Appender => "appender",
            Self::Reader => "reader",
            Self::Projector => "projector",
            Self::Operator => "operator",
        })
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let role = Self::ALL.into_iter().find(|role| role.to_string() == text);
        role.ok_or_else(|| UnknownRole { found: text.to_owned() })
    }
}
