//! The files of a store's log, as any program sees them.

use crate::events::DATA_BYTES;
use crate::outcome::Outcome;
use gesta::disk::{Access, Disk, DiskFile, RealDisk, RealFile};
use std::path::Path;

/// A segment file, and how far it is written.
#[derive(Debug)]
pub struct LogFile {
    /// The open file.
    pub file: RealFile,
    /// Bytes up to the last one that is not zero; beyond is room for later.
    pub written_bytes: u64,
}

/// The segment files of a store that hold something, in their order; together they must hold the data of `event_count`
/// events.
pub fn log_files(directory: &Path, event_count: u64) -> Outcome<Vec<LogFile>> {
    let disk = RealDisk::open(directory)?;
    let mut names: Vec<String> = disk.list()?.into_iter().filter(|name| name.ends_with(".log")).collect();
    names.sort();
    let mut files = Vec::new();
    for name in names {
        let file = disk.open(&name, Access::Read)?;
        let written_bytes = written_bytes(&file)?;
        if written_bytes > 0 {
            files.push(LogFile { file, written_bytes });
        }
    }
    let bytes: u64 = files.iter().map(|file| file.written_bytes).sum();
    assert!(bytes > event_count * DATA_BYTES as u64, "{bytes} bytes hold no {event_count} events");
    Ok(files)
}

fn written_bytes(file: &RealFile) -> Outcome<u64> {
    const PIECE_BYTES: u64 = 1 << 20;
    let mut end = file.len()?;
    let mut piece = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(PIECE_BYTES);
        piece.resize(usize::try_from(end - start)?, 0);
        file.read_at(&mut piece, start)?;
        if let Some(last) = piece.iter().rposition(|byte| *byte != 0) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}
