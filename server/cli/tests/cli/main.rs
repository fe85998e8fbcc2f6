//! The command line as its users see it: the real program, on real directories.

mod append;
mod damage;
mod errors;
mod follow;
mod git;
mod help;
mod import;
mod names;
mod read;
mod shared_data;
mod support;
