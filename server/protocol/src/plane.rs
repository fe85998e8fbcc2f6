//! The two ports of a server.

use std::fmt;

/// Commands come in on one port, and what projections read goes out on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Takes appends.
    Append,
    /// Serves reads, subscriptions and queries.
    Read,
}

impl Plane {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Append => 1,
            Self::Read => 2,
        }
    }

    pub(crate) fn of(code: u8) -> Option<Self> {
        [Self::Append, Self::Read].into_iter().find(|plane| plane.code() == code)
    }
}

impl fmt::Display for Plane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Append => "append",
            Self::Read => "read",
        })
    }
}
