//! What the index is for, measured while the store grows tenfold: checks, reads and queries must not grow with it.
//!
//! ```text
//!  history     the events that every store of a size holds, and which of them are looked for
//!  subject     one such store, opened after a kill, with the yard-sticks' own memory of it
//!  rows        what is measured, and what it should reach
//!  appends     with the index against the same bytes without it; with a condition against without
//!  checks      expected revisions and conditions, against look-ups in a map in memory
//!  reads       a stream against its bytes in one piece, queries against a filter over everything
//!  figures     memory after opening, bytes on disk
//!  run         one size after another
//!  growth      what the same operation costs while the store grows, as a chart
//! ```

mod appends;
mod checks;
mod figures;
mod growth;
mod history;
mod reads;
mod rows;
mod run;
mod subject;

pub use figures::{Figure, tell_memory};
pub use growth::draw_growth;
pub use history::{History, Scale};
pub use rows::{INDEXED_ROWS, OPEN};
pub use run::{Extent, Measurements, fill_until_killed};
pub use subject::Subject;
