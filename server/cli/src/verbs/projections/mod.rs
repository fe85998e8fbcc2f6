//! `gesta projections`: what a store was told of the projections that are folded from it.
//!
//! ```text
//!  verb     the arguments, and the finding of a projection by its name
//!  shown    a projection as a row, as a page and as JSON
//!  wait     until a projection has come to a position
//!  replay   its parked events tried again, by whoever folds it
//! ```

mod replay;
mod shown;
mod verb;
mod wait;

pub(crate) use verb::{Verb, run};
