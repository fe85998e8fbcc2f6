//! The command line as its users see it: the real program, on real directories.

mod append;
mod damage;
mod errors;
mod follow;
mod git;
mod help;
mod import;
mod index;
mod names;
mod queries;
mod read;
mod shared_data;
mod support;
