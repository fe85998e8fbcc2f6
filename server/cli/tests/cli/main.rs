//! The command line as its users see it: the real program, on real directories.

mod append;
mod bench;
mod config;
mod crowds;
mod damage;
mod deployment;
mod errors;
mod follow;
mod git;
mod help;
mod import;
mod index;
mod killed;
mod names;
mod network;
mod operations_page;
mod queries;
mod read;
mod remote;
mod serve;
mod server;
mod shared_data;
mod signals;
mod support;
mod token;
mod top;
