//! The log: one gap-free order of events in segment files, and the proof of what is in it.
//!
//! ```text
//!  manifest    who the store is: id, secret, incarnations; never about what the log holds
//!  origin      what tells the batches of this log from all other bytes
//!  segment     one file of the log; Segments is the set that readers see
//!  writer      the tail: batches, syncs, marks, rolls; LogWriter is the only one that writes
//!  walk        batches of a segment in order, over damage; SegmentCheck reads every byte of one
//!  observed    the log of another process, read beside its writer
//!  watermarks  how far the log reaches, for readers who wait
//!  spare       the segment file that is made ahead of use
//!  reserve     room for a manifest on a full disk
//!  recovery    what a log holds after a power cut, and whether it may be written again; what is left of a damaged one
//!  ground      a directory with nothing in it, on which a store is to be made
//!  truncation  cutting the end off on purpose, in a way that an interruption cannot undo
//! ```
//!
//! Invariant, upheld by [`LogWriter`]: readable <= committed <= durable <= written <= tail. On one node the first three
//! are the same position.

mod batch_source;
mod error;
mod files;
mod ground;
mod manifest;
mod observed;
mod origin;
mod recovery;
mod reserve;
mod segment;
mod segment_check;
mod shared;
mod spare;
mod truncation;
mod walk;
mod watermarks;
mod writer;

pub(crate) use batch_source::{BatchSource, Bytes, Found, NotABatch, Window};
pub use error::OpenError;
pub(crate) use files::{
    BACKUP_BEGUN, BACKUPS, LOCK, UNFINISHED, appear, are_of_a_backup, are_of_a_store, index_name, parse_index_name,
    parse_segment_name, parse_snapshot_name, parse_summary_name, segment_name, snapshot_name, summary_name,
};
pub(crate) use ground::{Ground, NotVacant, is_vacant};
pub(crate) use manifest::Manifest;
pub(crate) use observed::{ObservedLog, load_manifest};
pub(crate) use origin::Origin;
pub use recovery::RecoveryReport;
pub(crate) use recovery::{Recovered, Remains, check_vacant, create_store, recover};
pub(crate) use reserve::keep_reserve;
pub(crate) use segment::{Segment, Segments};
pub(crate) use segment_check::{Checked, SegmentCheck};
pub(crate) use shared::Log;
pub(crate) use spare::{Spare, build_spare, fill_with_zeros, next_segment_bytes};
pub use truncation::{TruncateError, truncate_after};
pub(crate) use walk::{SegmentWalk, Step};
pub(crate) use writer::{Group, Identity, LogWriter};
