//! Memory that behaves as badly as a disk may, and the same way again for the same seed.
//!
//! ```text
//!   write_at ----> cached image --- sync_data ---> durable image     one of each a file, see `contents`
//!                  dirty sectors -- power_cut ---> some of them
//!   create,  ----> cached names --- sync_dir ----> durable names     see `names`
//!   rename,        pending changes- power_cut ---> some of them
//!   remove
//! ```
//!
//! - [`SimulatedDisk`] is the directory and, for a test, the hand on the switch: [`SimulatedDisk::power_cut`] after a
//!   [`CrashPlan`], [`SimulatedDisk::inject`] a [`Fault`], and the damage of `damage` (flipped bits, stale and
//!   misplaced bytes) that no sync can help against.
//! - [`SimulatedFile`] is an open file. It dies with the power; so does [`SimulatedLock`].
//!
//! All clones share one state under one lock. There is no clock and no thread here, so one thread that makes the same
//! calls gets the same disk.

mod contents;
mod crash;
mod damage;
mod directory;
mod fault;
mod file;
mod names;
mod random;
mod state;

#[cfg(test)]
mod crash_test;
#[cfg(test)]
mod damage_test;
#[cfg(test)]
mod directory_test;
#[cfg(test)]
mod fault_test;

pub use crash::{CrashPlan, Granularity, Keep};
pub use directory::{SimulatedDisk, SimulatedLock};
pub use fault::Fault;
pub use file::SimulatedFile;
