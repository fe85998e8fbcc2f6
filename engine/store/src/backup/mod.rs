//! Backups: the same store at an earlier time, in another directory, made beside its writer.
//!
//! ```text
//!  store                                     backup                                 restored store
//!  0000000001-0000.log  sealed       link -> 0000000001-0000.log            copy -> 0000000001-0000.log
//!  0000000001-0000.idx               link -> 0000000001-0000.idx            copy -> 0000000001-0000.idx
//!  0000000002-0000.log  tail, head H copy -> 0000000002-0000-LENGTH.tail    copy -> 0000000002-0000.log, then zeros
//!  manifest                               -> backup, written last           ------> manifest, written last
//! ```
//!
//! A sealed segment is never written again, so a second name for it is a copy. The tail is copied up to the last batch
//! below the head, which is taken once.
//!
//! ```text
//!  manifest   the files `backup` and `backup.copy`: whose it is, how far it reaches, every file with its length and digest
//!  entry      one of these files, and its names in the backup and in a store
//!  source     what there is to back up in a store, as of one moment
//!  course     whether the store still holds what an earlier run into the same place holds
//!  place      the directory of a backup: whether it may be used, what is added, what is removed
//!  transfer   bytes from file to file, with their digest
//!  back_up    the verb `backup`
//!  held       the log that a backup holds, read in place
//!  verify     the verb `verify` on a backup
//!  restore    the verb `restore`
//! ```
//!
//! What must stay true: a place that has held a whole backup holds one at every moment after. So what the files `backup`
//! and `backup.copy` name is neither changed nor removed before new ones have replaced them.

mod back_up;
mod course;
mod entry;
mod error;
mod held;
mod manifest;
mod place;
mod restore;
mod source;
mod transfer;
mod verify;

pub use back_up::{BackupReport, backup};
pub use error::{BackupError, RestoreError};
pub use place::is_backup;
pub use restore::{restore, restore_on};
pub use verify::{BackupVerification, verify_backup, verify_backup_on};
