//! What is derived from the log so that both sides find their way in it: *key -> ascending positions*.
//!
//! ```text
//!  Key           kind and keyed hash of a name: stream, category, type, tag, request id
//!  MemoryIndex   the part of the tail segment: grows while it is read, readers take no lock
//!  IndexFile     the part of a sealed segment: immutable, checksummed, mapped
//!  Part          either of them, or lost and read anew from its segment
//!  Summary       what a run of sealed segments knows of each key, so that a cold lookup asks few files
//!  IndexSet      all parts, in the order of the log
//! ```
//!
//! An index entry is derived from the log, so it is never evidence about the log. Losing or damaging any of it costs time,
//! never an answer.

mod append_list;
mod fetch;
mod file;
mod fill;
mod follow;
mod handle;
mod heads;
mod inspection;
mod key;
mod listing;
mod memory;
mod part;
mod place;
mod plan;
mod record_keys;
mod report;
mod revisions;
mod search;
mod set;
mod summaries;
mod term;
mod upkeep;

pub(crate) use fetch::segment_of;
pub(crate) use fill::TailFill;
pub(crate) use follow::Following;
pub(crate) use handle::Index;
pub(crate) use heads::Heads;
pub(crate) use inspection::Inspection;
pub(crate) use key::{Key, Keyring, Kind};
pub(crate) use memory::MemoryIndex;
pub(crate) use part::Source;
pub(crate) use place::BatchPlace;
pub(crate) use plan::{Plan, Tally};
pub(crate) use record_keys::RecordKeys;
pub use report::IndexReport;
pub(crate) use set::{Head, IndexSet, Span};
