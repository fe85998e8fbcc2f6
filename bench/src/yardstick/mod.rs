//! The least that any program would have to do for the same bytes, put together as well as it can be.
//!
//! No checks, no recovery, and an index only where that is what is measured: a yard-stick keeps bytes. What it writes is as long as what gesta writes for the
//! same events, into a file that was filled with zeros and synced beforehand.

mod checksum;
mod grouped;
mod log_files;
mod plain;
mod plain_log;
mod postings;
mod staged;
mod zeroed_file;

pub use checksum::{hash_by_pread, hash_views};
pub use grouped::GroupedWriter;
pub use log_files::{LogFile, log_files};
pub use plain::{pwrite_each, sync_each};
pub use plain_log::PlainLog;
pub use postings::Postings;
pub use staged::pwrite_staged;
pub use zeroed_file::ZeroedFile;
