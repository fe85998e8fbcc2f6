//! Load on a store, and how the store bears it.
//!
//! ```text
//!  run        one workload after another on one store, and whether every event is there that was promised
//!    appends    callers that append, and the times they wait
//!    reads      everything, or what a query finds, again and again
//!    delivery   from an append's call to the event in a subscriber's hands
//!    planes     appends alone, and beside readers without pause
//!  subject    the store: callers are threads on a directory, and tasks with a connection each on a server
//!  line       one caller's way to the store, the same to a workload
//!  events     what is appended
//!  figures    what a workload came to
//! ```

mod appends;
mod delivery;
mod events;
mod figures;
mod line;
mod planes;
mod reads;
mod run;
mod subject;

pub(crate) use figures::Figures;
pub(crate) use run::{Run, RunSettings, Workload};
pub(crate) use subject::Subject;
