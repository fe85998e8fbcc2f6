//! The seam between the engine and whatever keeps its bytes.
//!
//! Everything above this folder reaches files through [`Disk`] and [`DiskFile`]; nothing above it makes a system call or
//! writes `unsafe`. Two disks stand behind the seam:
//!
//! - [`RealDisk`]: one directory of a file system; read-only maps, `pwrite`, `fdatasync`, `flock`.
//! - [`SimulatedDisk`]: memory that behaves as badly as a disk may: power cuts that keep any subset of the unsynced
//!   sectors, torn and lost writes, flipped bits, failed syncs, a full disk.

mod fence;
mod real;
mod seam;
mod simulated;

pub use real::{RealDisk, RealFile, RealLock, RealView, contain_lost_pages, lost_pages};
pub use seam::{Access, Disk, DiskFile};
pub use simulated::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk, SimulatedFile, SimulatedLock};
