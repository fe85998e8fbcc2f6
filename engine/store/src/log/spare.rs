//! The spare: the next segment file, allocated and zero-filled before it is needed.
//!
//! Commits into a zero-filled file cost about half of what they cost in a growing one, and a full disk shows here, where
//! no commit is waiting, rather than in the middle of one.

use super::files::{appear, segment_name};
use crate::disk::{Disk, DiskFile};
use std::io;

/// Zeros are written in pieces, so that the file system is not handed the whole file at once.
const PIECE_BYTES: usize = 1 << 20;
static ZEROS: [u8; PIECE_BYTES] = [0; PIECE_BYTES];

/// A segment file that holds only zeros.
pub(crate) struct Spare<D: Disk> {
    pub(crate) number: u64,
    pub(crate) path: String,
    pub(crate) file: D::File,
    pub(crate) bytes: u64,
}

/// Makes the spare that will become segment `number`, replacing a smaller one of that number.
pub(crate) fn build_spare<D: Disk>(disk: &D, number: u64, bytes: u64) -> io::Result<Spare<D>> {
    let name = segment_name(number, 0);
    let file = appear(disk, &name, |file| {
        file.allocate(bytes)?;
        fill_with_zeros(file, 0, bytes)
    })?;
    Ok(Spare { number, path: disk.describe(&name), file, bytes })
}

/// Writes zeros over a range.
pub(crate) fn fill_with_zeros<F: DiskFile>(file: &F, from: u64, to: u64) -> io::Result<()> {
    let mut offset = from;
    while offset < to {
        let piece = (to - offset).min(PIECE_BYTES as u64);
        file.write_at(&ZEROS[..usize::try_from(piece).expect("a piece is small")], offset)?;
        offset += piece;
    }
    Ok(())
}

/// The length of the segment after one of `bytes`: twice as long, up to `bytes_max`, but always with room for `needed`.
pub(crate) fn next_segment_bytes(bytes: u64, bytes_max: u64, needed: u64) -> u64 {
    (bytes.saturating_mul(2)).min(bytes_max).max(needed.next_multiple_of(4096))
}
