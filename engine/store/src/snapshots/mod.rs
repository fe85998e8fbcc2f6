//! Saved fold states: a cache of bounded size, never evidence about the log.
//!
//! ```text
//!  save ─► young file      snapshots are added at its end, the newest of a key counts
//!          old file        what was the young file before it was full
//!                          the next time it is full, the old file is removed with what is in it
//! ```
//!
//! - `entry`: the bytes of a snapshot in a file, and what tells them from all other bytes
//! - `file`: one file, read to its end and added to
//! - `snapshots`: both files, and which snapshot of a key is the newest
//!
//! What must stay true: whatever is wrong in here costs a snapshot and never an opening, a read or an append. A snapshot
//! that is loaded is whole and is of this log: it names the last event that it holds, its *witness*, and whoever loads it
//! looks whether that event still stands there.

mod entry;
mod file;
#[allow(clippy::module_inception, reason = "the type is what the folder is about")]
mod snapshots;

pub(crate) use entry::Witness;
pub(crate) use snapshots::{Kept, Snapshots};
