//! gesta: an event store, linked into a program.
//!
//! Events go in one way, in one gap-free order, and are never changed; state is what you get by replaying them.
//!
//! ```text
//!  store      wires both sides, once                       Store, Options
//!  backup     the same store at an earlier time, in another directory
//!  repair     a new store of what is left of a damaged one
//!  append  |  read      commands   |   queries             append, submit, Ticket | Reader, Cursor, Subscription
//!  snapshots  saved fold states; losing them loses nothing
//!  projections  what those who fold say of themselves; they say it again
//!  scrub      reads what was sealed again, to find damage before a reader does
//!  index      derived from the log; losing it loses nothing
//!  log        segments, watermarks, recovery               RecoveryReport, Damage
//!  disk       the seam: a real directory, or a simulated one that fails as badly as disks do
//! ```
//!
//! A folder names only what stands below it. docs/ARCHITECTURE.md tells the rest.
#![deny(unsafe_code)] // allowed in disk/real alone, where files are mapped

mod append;
mod backup;
mod commit_observer;
pub mod disk;
pub mod environment;
mod index;
mod log;
mod options;
mod projections;
mod read;
mod repair;
#[cfg(gesta_sabotage)]
pub mod sabotage;
#[cfg(not(gesta_sabotage))]
#[allow(unreachable_pub, reason = "public in a sabotaged build alone")]
mod sabotage;
mod scrub;
mod snapshots;
mod store;
#[cfg(not(gesta_shuttle))]
mod sync;
#[cfg(gesta_shuttle)]
#[path = "sync_shuttle.rs"]
mod sync;

pub use append::{CloseError, Ticket};
pub use backup::{
    BackupError, BackupReport, BackupVerification, RestoreError, backup, is_backup, restore, restore_on, verify_backup,
    verify_backup_on,
};
pub use commit_observer::{Commit, CommitObserver};
pub use gesta_model::*;
pub use index::IndexReport;
pub use log::{OpenError, RecoveryReport, TruncateError, truncate_after};
pub use options::{Options, ScrubOptions, Upkeep};
pub use read::{Batches, Cursor, Feed, Reader, Statistics, Subscription, VerifyReport, verify};
pub use repair::{LOST_EVENT_TYPE, RepairError, RepairReport, repair, repair_on};
pub use scrub::{PassProgress, ScrubObserver, ScrubRate, ScrubStatus};
pub use store::{Store, is_store};

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

/// The programs of the page on queries, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/QUERIES.md")]
pub struct Queries;
