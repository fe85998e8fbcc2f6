//! The scrub: an open store reads what it has sealed again, in the background, and tells of damage before a reader comes
//! upon it.
//!
//! ```text
//!  Scrub    when a pass begins and when the next step of it is due; called by whoever keeps the store
//!    Pass   one round over all sealed segments and index files, a stretch at a time
//!    Rate   how many bytes a second, shared by all stores that were given it
//!  Ledger   what was done and found, for whoever asks
//! ```
//!
//! The bytes are checked as `Reader::verify` and `Reader::verify_index` check them. What is wrong with the log is told and
//! left alone: no code writes to a sealed segment. An index file is believed no more, and made anew from its segment.
//!
//! Everything is read with the disk's own calls, through a buffer: a failing disk is damage, and not a signal. The cache is
//! asked to let go of the file before and while it is read, so that the device is asked and not the memory, and so that a
//! pass leaves nothing behind in it; pages that somebody looks at in place stay.

mod ledger;
mod observer;
mod pass;
mod rate;
#[expect(clippy::module_inception, reason = "the folder's main type has its own file, as everywhere")]
mod scrub;
mod status;

pub(crate) use ledger::Ledger;
pub use observer::ScrubObserver;
pub use rate::ScrubRate;
pub(crate) use scrub::Scrub;
pub use status::{PassProgress, ScrubStatus};
