//! Deciding: what a command leads to, as pure functions of what has happened.
//!
//! ```text
//!  command ──► boundary ──► the events in it ──► evolve, evolve, ... ──► state
//!      │                                                                   │
//!      └──────────────────────► decide(state, command) ◄───────────────────┘
//!                                      │
//!                         new events   or   a refusal
//! ```
//!
//! What must stay true: nothing here reads a clock, a file or a socket, so a decision can be made again, and is, whenever
//! something else happened first.

mod boundary;
mod decider;
mod scenario;

pub use boundary::{Boundary, BoundaryError};
pub use decider::Decider;
pub use scenario::{Outcome, Scenario, given};
