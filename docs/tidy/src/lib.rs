//! The habits of this repository that a test can hold in place.
//!
//! [`Tree`] reads the repository into memory; every rule is one file, a function from the tree to its [`Finding`]s;
//! [`RULES`] lists them; `tests/tidy.rs` runs them all over the real tree. A rule is itself tested on a tree of a few
//! made-up files, where it must find what it forbids: a check that cannot fail is a defect.
//!
//! ```text
//!  files of the repository
//!    tree        what is walked and what is left out
//!      code        Rust with comments and literals blanked     markdown    prose with code blanked
//!        paths       names such as crate::log::Log
//!        functions   where each begins and ends
//!        modules     which file is which module
//!          heads title_pages layers purity unsafe_place reachable length     links page_hash promises     machine_text
//!      uncompressed  Cargo.lock
//!            rules       all of them, by name
//! ```
//!
//! Std only, so that it builds in a second and checks nothing but this repository.
#![forbid(unsafe_code)]

mod code;
mod finding;
mod functions;
mod heads;
mod layers;
mod length;
mod links;
mod machine_text;
mod markdown;
mod modules;
mod page_hash;
mod paths;
mod promises;
mod purity;
mod reachable;
mod rules;
mod title_pages;
mod tree;
mod uncompressed;
mod unsafe_place;

pub use finding::Finding;
pub use rules::{RULES, Rule};
pub use tree::Tree;
