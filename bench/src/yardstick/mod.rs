//! The least that any program would have to do for the same bytes, put together as well as it can be.
//!
//! No index, no checks, no recovery: a yard-stick keeps bytes only. What it writes is as long as what gesta writes for the
//! same events, into a file that was filled with zeros and synced beforehand.

mod checksum;
mod grouped;
mod log_files;
mod plain;
mod staged;
mod zeroed_file;

pub use checksum::{hash_by_pread, hash_views};
pub use grouped::GroupedWriter;
pub use log_files::{LogFile, log_files};
pub use plain::{pwrite_each, sync_each};
pub use staged::pwrite_staged;
pub use zeroed_file::ZeroedFile;
