//! Why an append was not made: its conditions did not hold.

use crate::{Check, Position, Revision};
use std::fmt;

/// One check that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCheck {
    /// The check as it was asked.
    pub check: Check,
    /// The last revision of the stream it asked about; `None` when the stream has no events.
    pub actual: Option<Revision>,
}

/// Every check of a request that failed, and where the log stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// All failed checks, in the order asked.
    pub failed: Vec<FailedCheck>,
    /// The head that the checks were judged against.
    pub head: Position,
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (ordinal, FailedCheck { check: Check::Stream { stream, expected }, actual }) in
            self.failed.iter().enumerate()
        {
            let separator = if ordinal == 0 { "" } else { "; " };
            write!(formatter, "{separator}stream {:?}: expected {expected}, ", stream.as_str())?;
            match actual {
                Some(revision) => write!(formatter, "but its last revision is {revision}")?,
                None => formatter.write_str("but it has no events")?,
            }
        }
        formatter.write_str(": read the stream again, decide again, append again")
    }
}
