//! What every store of events must do, as tests: one meaning for a store linked into the program and one behind a server.
//!
//! ```text
//!  harness   Harness: how to come by a store, and by the next life of one; Placed: a store with its place
//!  suite     conformance!: one #[test] for each case, named after it
//!  cases     examples, one a sentence of the contract
//!  model     random steps against a plain list of events
//!  history   what concurrent callers were told, and whether one order explains it
//! ```
//!
//! A case sees only [`EventStore`](gesta_model::EventStore). It asserts what the contract says and nothing that depends on
//! where the store is: what comes by itself is waited for with patience, and nothing is said of how long it takes. Whoever
//! implements the trait writes a [`Harness`] and calls [`conformance!`] and [`model_test`] with it.
#![forbid(unsafe_code)]

pub mod cases;
mod harness;
pub mod history;
mod model;
mod suite;
mod support;

pub use harness::{Harness, Placed};
pub use model::model_test;
