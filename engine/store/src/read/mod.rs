//! The query side: bounded reads in both directions, subscriptions that go on with what is appended later, replays
//! in parallel feeds.
//!
//! ```text
//!  Read -> Reader -> Cursor        events from a position or revision, forward or backward, up to a limit
//!                 -> Subscription  the same forward, then live
//!                 -> Feeds         everything, each event in one of several feeds
//!  block                           the batches of a stretch of one segment, found by their headers
//! ```
//!
//! Records are borrowed from the map of the segment they lie in. A batch is verified whole before any of it is shown.

mod batches;
mod block;
mod cursor;
mod feed;
mod names;
mod pick;
mod projections;
mod reader;
mod receipt;
mod snapshots;
mod statistics;
mod subscription;
mod sweep;
mod verify;

pub use batches::Batches;
pub use cursor::Cursor;
pub use feed::Feed;
pub(crate) use reader::Library;
pub use reader::Reader;
pub use statistics::Statistics;
pub use subscription::Subscription;
pub use verify::{VerifyReport, verify};
pub(crate) use verify::{verify_log, visit_log};
