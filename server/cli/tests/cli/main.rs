//! The command line as its users see it: the real program, on real directories.

mod append;
mod backup;
mod bench;
mod config;
mod crowds;
mod damage;
mod deployment;
mod disk;
mod errors;
mod follow;
mod git;
mod help;
mod import;
mod index;
mod killed;
#[path = "../../../../engine/store/tests/store/mounted.rs"]
#[expect(dead_code, reason = "a power cut is for others")]
mod mounted;
mod names;
mod network;
mod operations_page;
mod projections;
mod queries;
mod read;
mod remote;
mod repair;
mod scrub;
mod serve;
mod server;
mod shared_data;
mod signals;
mod snapshots;
mod support;
mod tampering;
mod token;
mod top;
