//! Whether one order explains everything that concurrent callers were told: linearizability, asked of the log itself.
//!
//! ```text
//!  call      one append or read: when it was called, what it asked, what it was told
//!  history   calls, of one process or of several put together
//!  line      a call as a line of text
//!  log       what the store holds in the end, to be asked what stood where
//!  check     every question, asked once of each call
//!  known     how far the log must have come by each moment
//!  anomaly   what cannot be true
//! ```
//!
//! Searching for an order is hard; here the store itself gives it away, for the log *is* the order. So each question is asked
//! of one place in it, and all of them together take the time of sorting the calls:
//!
//! - an acknowledged append stands there once, whole, where its receipt says; a refused one does not; one without an
//!   answer may;
//! - what an accepted append was checked for was true just before its first event, and what a refused one was checked for
//!   was not, at the head it was told;
//! - whatever was over before a call began stands before what the call did;
//! - a read shows exactly what is meant of the log up to its head.

mod anomaly;
mod call;
mod check;
#[expect(clippy::module_inception, reason = "the folder's main type has its own file, as everywhere")]
mod history;
mod known;
mod line;
mod log;

pub use anomaly::Anomaly;
pub use call::{Answer, AppendCall, Call, ReadCall};
pub use check::Summary;
pub use history::History;
pub use line::LineError;
pub use log::Log;
