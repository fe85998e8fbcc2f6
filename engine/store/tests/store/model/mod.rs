//! The model test: random steps against a plain reference, through crashes, failed syncs and reopenings.
//!
//! ```text
//!  run        sequences of steps, and the tests
//!  step       what can happen to a store
//!  wish       a request, kept so that it can be judged and made again
//!  reference  what a store is: a list of events, judged by looking at all of them
//!  answer     what a request must be answered, and whether it was
//!  world      the store on its disk, opened and crashed
//!  asking     requests made of it: alone, in flight, during a sync, once more
//!  reading    reads and listings, compared with the reference
//!  following  a subscription that lives across steps
//!  replaying  replays in several feeds
//!  upkeep     the index files: lost, made anew, looked over
//!  tally      what a run has gone through
//! ```
//!
//! The oracle: what is read is what was accepted, in order, without gaps; what was acknowledged as durable, or shown to a
//! reader, survives every power cut; what survives is a prefix of what was accepted, in whole requests; every answer is
//! the one that the reference gives.

mod answer;
mod asking;
mod following;
mod reading;
mod reference;
mod replaying;
pub(crate) mod run;
mod step;
mod tally;
mod upkeep;
mod wish;
mod world;
