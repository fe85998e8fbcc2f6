//! The disk that is one: a directory of a file system, reached by system calls.
//!
//! - [`RealDisk`] makes, opens, renames and removes files; [`RealLock`] keeps a second writer out (`flock`).
//! - [`RealFile`] writes with `pwrite`, syncs with `fdatasync` (once, never again after a failure) and reserves blocks
//!   with `fallocate`, so that a full disk is met where there is still time to say so.
//! - [`RealView`] is a slice of a read-only map of the whole file. A page that the disk cannot bring ends the process, unless
//!   the program has asked for [`contain_lost_pages`]. These two files, and the call that has the device begin to write, hold
//!   the only `unsafe` of the product.
//!
//! There is no writable map here: a disk error would become a signal. There is no `ftruncate` that shortens a file:
//! a file keeps its length from `allocate` until it is removed, and every map stays inside it.
//!
//! Every error carries the path of its file and keeps the kind that the system gave it.

mod directory;
mod file;
#[allow(unsafe_code)]
mod lost_pages;
#[allow(unsafe_code)]
mod map;
#[allow(unsafe_code)]
mod write_back;

#[cfg(test)]
mod real_test;

pub use directory::{RealDisk, RealLock};
pub use file::RealFile;
pub use lost_pages::{contain_lost_pages, lost_pages};
pub use map::RealView;
