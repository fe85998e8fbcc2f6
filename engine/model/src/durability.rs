//! What an append waits for.

use std::fmt;

/// What must have happened to an append before it is answered; the receipt says what was reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// In the writer's memory: lost when the process dies. Flushed by size, and at the latest with the next sync.
    Buffered,
    /// In the operating system's cache: survives the process, not a power cut.
    Written,
    /// Synced to the device: survives a power cut.
    #[default]
    Durable,
}

impl fmt::Display for Durability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Buffered => "buffered",
            Self::Written => "written",
            Self::Durable => "durable",
        })
    }
}
