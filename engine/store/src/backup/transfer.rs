//! Bytes from file to file, in pieces, with their digest and word of how far it is.

use crate::disk::DiskFile;
use std::io;
use xxhash_rust::xxh3::Xxh3;

const PIECE_BYTES: u64 = 1 << 20;

/// How far a verb has come, in bytes.
pub(super) struct Meter<'p> {
    done: u64,
    total: u64,
    progress: &'p mut dyn FnMut(u64, u64),
}

impl<'p> Meter<'p> {
    pub(super) fn new(total: u64, progress: &'p mut dyn FnMut(u64, u64)) -> Self {
        Self { done: 0, total, progress }
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        (self.progress)(self.done.min(self.total), self.total);
    }
}

/// The digest of a file's first `length` bytes.
pub(super) fn digest<F: DiskFile>(file: &F, length: u64, meter: &mut Meter<'_>) -> io::Result<u128> {
    pass(file, length, meter, |_, _| Ok(()))
}

/// Copies a file's first `length` bytes into a file that was just made, and gives their digest.
pub(super) fn copy<F: DiskFile, T: DiskFile>(file: &F, to: &T, length: u64, meter: &mut Meter<'_>) -> io::Result<u128> {
    pass(file, length, meter, |piece, at| to.write_at(piece, at))
}

fn pass<F: DiskFile>(
    file: &F,
    length: u64,
    meter: &mut Meter<'_>,
    mut take: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<u128> {
    let mut hasher = Xxh3::new();
    let (mut at, mut piece) = (0, Vec::new());
    while at < length {
        let bytes = PIECE_BYTES.min(length - at);
        piece.resize(usize::try_from(bytes).expect("a piece is small"), 0);
        file.read_at(&mut piece, at)?;
        hasher.update(&piece);
        take(&piece, at)?;
        at += bytes;
        meter.advance(bytes);
    }
    Ok(hasher.digest128())
}
