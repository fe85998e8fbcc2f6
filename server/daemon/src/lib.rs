//! The gesta server: commands in on one plane, projections out on the other.
#![forbid(unsafe_code)]

pub mod access;
pub mod settings;
pub mod observe;
pub mod operator;
