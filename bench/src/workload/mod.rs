//! The two sides of each row. Every round makes its own files and removes them after the clock has stopped.

mod both_sides;
mod durable;
mod killed;
mod replay;
mod scrub;
mod settings;
mod tickets;
mod unsynced;

pub use both_sides::Workload;
pub use durable::{DurableBatches, DurableThreads};
pub use killed::{Opened, OpenedAfterKill, fill_until_killed, fill_with};
pub use replay::Replay;
pub use scrub::Scrub;
pub use settings::Settings;
pub use tickets::TicketsInFlight;
pub use unsynced::Unsynced;
