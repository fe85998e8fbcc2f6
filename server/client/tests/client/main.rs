//! The client against servers that say and do just what the test wants, above all what they should not.

mod appends;
mod connections;
mod encryption;
mod events;
mod projections;
mod questions;
mod reads;
mod retries;
mod script;
mod snapshots;
mod subscriptions;
mod turns;
