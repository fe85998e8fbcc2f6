//! Repairs: a new store of what is left of a damaged one, with every event in its place and a stand-in for each that is lost.

mod ground;
mod kinds;
mod random;
mod streams;
mod swept;
mod whole;
