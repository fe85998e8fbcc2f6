//! The verbs, one file each. A verb takes its arguments and the [`Context`](crate::context::Context), prints its results
//! and tells the status to end with, or why it failed.

pub(crate) mod append;
pub(crate) mod backup;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
mod event_list;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod import_git;
pub(crate) mod index;
pub(crate) mod names;
pub(crate) mod projections;
pub(crate) mod read;
pub(crate) mod repair;
pub(crate) mod restore;
mod sample;
pub(crate) mod serve;
mod server_settings;
pub(crate) mod snapshots;
pub(crate) mod stats;
pub(crate) mod tail;
pub(crate) mod token;
pub(crate) mod top;
pub(crate) mod verify;
