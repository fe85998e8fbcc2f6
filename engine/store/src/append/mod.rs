//! The command side: requests in, one order out.
//!
//! ```text
//!  caller      encodes records and their checksums                                          (no lock)
//!    |  lock the sequencer: judge the checks -> give positions and revisions -> add to the staged group
//!  committer   takes the group -> one write -> one sync -> shows it to readers -> answers each waiter
//!  keeper      builds the spare segment: nothing slow happens while a commit waits
//! ```
//!
//! There is no timer: what arrives while one group syncs is the next group. A lone caller commits by itself; with company
//! it leaves the rest to the committing thread. The first failed write or sync poisons the writer.

mod appender;
mod close_error;
mod committer;
mod crowd;
mod keeper;
mod prepared;
mod sequencer;
mod slot;
mod staging;
mod ticket;
mod verdict;
mod watch;

pub(crate) use appender::Appender;
pub use close_error::CloseError;
pub use ticket::Ticket;
