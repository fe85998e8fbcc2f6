//! The model test: random steps, and after each what a plain list of events would have answered.
//!
//! ```text
//!  draft      what steps there are, and how they are drawn
//!  reference  what a store is: a list of events, judged by looking at all of them
//!  world      a store beside its reference: the steps made of both, and compared
//!  run        sequences of steps, with the seed of one that fails
//! ```
//!
//! The store is asked only in ways that every implementation has. What a crash may take is another test's business.

mod draft;
mod reference;
mod run;
mod world;

pub use run::model_test;
