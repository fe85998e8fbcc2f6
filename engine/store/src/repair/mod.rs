//! Repair: a new store of what is left of a damaged one, which is not touched.
//!
//! ```text
//!  damaged store       0  1  2  x  x  x  6  7  x  x            x: cannot be read
//!  first reading       what is lost, and which revisions the streams miss       survey
//!  second reading      0  1  2  s  s  s  6  7  s  s            s: a stand-in    rebuild
//!  new store           another id, another secret; its manifest is written last
//! ```
//!
//! A log has no gaps in its positions, and a stream none in its revisions. So each lost position gets an event that says
//! what is missing there, and every event that is left keeps its position, revision, id, time and bytes.
//!
//! ```text
//!  survey     the first reading: what is damaged, and what the streams miss
//!  placement  which revision of which stream a lost position gets
//!  stand_in   the event that stands for a lost one
//!  rebuild    the second reading: the new log
//!  repair     the verb
//! ```
//!
//! What must stay true: nothing in the damaged store is written, and what was begun and not finished is no store.

mod error;
mod placement;
mod rebuild;
#[allow(clippy::module_inception, reason = "the verb, after which the folder is named")]
mod repair;
mod report;
mod stand_in;
mod survey;

pub use error::RepairError;
pub use repair::{repair, repair_on};
pub use report::RepairReport;
pub use stand_in::LOST_EVENT_TYPE;
