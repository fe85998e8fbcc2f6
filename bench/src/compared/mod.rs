//! gesta beside other stores: the same rows for all of them, by turns, each store in a process of its own.
//!
//! ```text
//!  peer        the stores, and how their programs are built
//!  rows        what is measured of every store
//!  work        what a program is told to do, and what it says
//!  tour        all rows of all stores, by turns
//!  gap         why there is no figure
//!  figures     what came of it: medians, and what gesta is in multiples of the others
//!  goals       what was hoped for beside the others, met or missed
//!  yardsticks  what is wished of gesta beside the least that any program would have to do
//!  tables      the same as Markdown
//!  chart       the same as bars
//!  output      all charts, and the whole run as JSON
//! ```
//!
//! The programs are in `bench/peers`, a workspace of its own.

mod chart;
mod figures;
mod gap;
mod goals;
mod output;
mod peer;
mod rows;
mod tables;
mod tour;
mod work;
mod yardsticks;

pub use figures::Figures;
pub use gap::Gap;
pub use output::{draw, json};
pub use peer::{Kind, PEERS, Peer, Program};
pub use tables::tables;
pub use tour::{Extent, tour};
pub use work::Said;
pub use yardsticks::measure_goals;
