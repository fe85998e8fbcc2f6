//! gesta beside other stores: the same rows for all of them, by turns, each store in a process of its own.
//!
//! ```text
//!  peer      the stores, and how their programs are built
//!  work      what a program is told to do, and what it says
//!  tour      all rows of all stores, by turns
//!  figures   what came of it: medians, and what gesta is in multiples of the others
//!  goals     what was hoped for, met or missed
//!  page      the tables and charts of docs/BENCHMARKS.md
//! ```
//!
//! The programs are in `bench/peers`, a workspace of its own.

mod chart;
mod figures;
mod goals;
mod page;
mod peer;
mod tour;
mod work;

pub use figures::Figures;
pub use page::{json, tables, write};
pub use peer::{PEERS, Peer, Program};
pub use tour::{Extent, tour};
