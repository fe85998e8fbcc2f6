//! What a log holds after a power cut, a failed sync or damage, and whether it may be written again.
//!
//! A group is written only after the group before it was synced (weak durabilities apart, whose distance is bounded).
//! So every batch is *evidence*: all below its `durable` position was on disk before it was written. From that:
//!
//! ```text
//!  scan       forward from the tail segment's start, to the first batch that is not true: offset X, position P
//!  a batch with base P stands beyond X     -> what is damaged held no events: go on from there
//!  evidence beyond P                       -> corruption: nothing is cut, no appends (degraded)
//!  doubt reaches further than the segment's own unsynced_bytes_max, or cannot be read -> corruption
//!  otherwise                               -> torn tail: zeros over it, sync, next life
//! ```
//!
//! Before the log is judged its tail is synced and the cache dropped, so that the disk is judged and not what a dead
//! process left in memory; before it is written again, everything that no evidence covers is written once more with the
//! same bytes and synced. A power cut at any moment of this leads to the same end.

mod beyond;
mod continuity;
mod create;
mod files;
mod judge;
mod recover;
mod remains;
mod report;
mod tail_scan;

pub(crate) use beyond::{Look, look_beyond};
pub(crate) use continuity::check_continuity;
pub(crate) use create::{check_vacant, create_store};
pub(crate) use files::{SegmentFile, read_segment_files};
pub(crate) use judge::{Doubt, Verdict, judge};
pub(crate) use recover::{Recovered, recover};
pub(crate) use remains::Remains;
pub use report::RecoveryReport;
pub(crate) use tail_scan::{Stop, TailScan};
