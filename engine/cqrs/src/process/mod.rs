//! Process managers: what has happened leads to commands.
//!
//! ```text
//!  event ──► the events of its process ──► evolve ──► state ──► react ──► commands, each under an id that follows
//!                                                                         from the event: handled once, however often
//! ```
//!
//! What must stay true: an event is reacted to at least once, and each command that it leads to is followed at most once. The
//! first is the checkpoint's doing, which moves on after the commands; the second that of the ids.

mod process_manager;
mod reactor;
mod settled;

pub use process_manager::ProcessManager;
pub use reactor::{Reactor, command_id};
pub use settled::settled;
