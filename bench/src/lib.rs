//! gesta-bench: workloads for the store, each beside the yard-stick it is measured against.
//!
//! A figure without a yard-stick says more about the machine than about the store. So every row runs both, in turns, in
//! one run, on files in one directory: the store, and the least that any program would have to do for the same bytes.
//!
//! ```text
//!  rows         what is measured, and what it should reach
//!  workload     the two sides of each row: a round of the yard-stick, a round of gesta
//!  yardstick    plain pwrite, fdatasync and crc32fast, put together as well as they can be
//!  indexed      the rows of the index: a store that grows tenfold, beside what needs no index
//!  served       the rows of the server: clients and server in processes of their own, beside the store embedded or a raw socket
//!  projected    the rows of commands and projections: deciding and folding, beside the bare append and the bare inserts
//!  compared     the rows of other stores: gesta and each of them in a process of its own
//!  sample       what a round comes to
//!  comparison   rounds in turns, medians, ratio
//!  run          the rows one after another
//!  helper       what a row has another process do: the same program again
//!  report       the table, or JSON
//!  page         where in the documentation the table goes
//!  machine      where and when it was measured
//! ```
//!
//! docs/BENCHMARKS.md says how to run it and what came out.
#![forbid(unsafe_code)]

pub mod compared;
pub mod comparison;
pub mod events;
pub mod helper;
pub mod indexed;
pub mod machine;
pub mod outcome;
pub mod page;
pub mod place;
pub mod projected;
pub mod report;
pub mod rows;
pub mod run;
pub mod sample;
pub mod served;
pub mod workload;
pub mod yardstick;
