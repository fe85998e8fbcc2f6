//! The protocol as both ends see it: every message goes over whole, no bytes break a decoder, and the bytes stay the same.

mod example;
mod golden;
mod hearing;
mod hostile;
mod page;
mod projections;
mod round_trips;
mod samples;
mod strategies;
