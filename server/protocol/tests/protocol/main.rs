//! The protocol as both ends see it: every message goes over whole, no bytes break a decoder, and the bytes stay the same.

mod golden;
mod hearing;
mod hostile;
mod round_trips;
mod samples;
mod strategies;
