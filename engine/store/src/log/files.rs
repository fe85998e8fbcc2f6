//! The names of a store's files, and the one helper that makes a file appear whole.

use crate::disk::{Access, Disk, DiskFile};
use crate::sabotage::{Bug, has};
use std::io;

/// Held by the one writer.
pub(crate) const LOCK: &str = "lock";
/// The two copies of the manifest.
pub(crate) const MANIFESTS: [&str; 2] = ["manifest", "manifest.copy"];
/// The end of the name of a file that is still being made; one that is left over means nothing.
const UNFINISHED: &str = ".new";
const SEGMENT: &str = ".log";

/// The name of a segment file.
pub(crate) fn segment_name(number: u64, generation: u32) -> String {
    format!("{number:010}-{generation:04}{SEGMENT}")
}

/// The name of the index file of a segment.
pub(crate) fn index_name(number: u64, generation: u32) -> String {
    format!("{number:010}-{generation:04}.idx")
}

/// The number and generation in a segment file's name.
pub(crate) fn parse_segment_name(name: &str) -> Option<(u64, u32)> {
    let (number, generation) = name.strip_suffix(SEGMENT)?.split_once('-')?;
    let parsed = (number.parse().ok()?, generation.parse().ok()?);
    (segment_name(parsed.0, parsed.1) == name).then_some(parsed)
}

/// Whether a name is one that a store gives to its files.
pub(crate) fn is_log_file(name: &str) -> bool {
    let finished = name.strip_suffix(UNFINISHED).unwrap_or(name);
    name == LOCK || MANIFESTS.contains(&finished) || parse_segment_name(finished).is_some()
}

/// Makes a file appear under its name, whole and durable, or not at all: made under a temporary name, filled, synced,
/// renamed, directory synced. Replaces a file that has the name already.
pub(crate) fn appear<D: Disk>(
    disk: &D,
    name: &str,
    fill: impl FnOnce(&D::File) -> io::Result<()>,
) -> io::Result<D::File> {
    let unfinished = format!("{name}{UNFINISHED}");
    let file = match disk.create(&unfinished) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            disk.remove(&unfinished)?;
            disk.create(&unfinished)?
        }
        outcome => outcome?,
    };
    let filled = fill(&file).and_then(|()| file.sync_data());
    if let Err(error) = filled {
        drop(file);
        // The disk may be full: give back what was taken. The first error is the one to tell of.
        let _ = disk.remove(&unfinished);
        return Err(error);
    }
    drop(file);
    disk.rename(&unfinished, name)?;
    if !has(Bug::NoDirectorySync) {
        disk.sync_dir()?;
    }
    disk.open(name, Access::Write)
}

/// Removes what an interrupted making left over.
pub(crate) fn remove_unfinished<D: Disk>(disk: &D, names: &[String]) -> io::Result<()> {
    for name in names.iter().filter(|name| is_log_file(name) && name.ends_with(UNFINISHED)) {
        disk.remove(name)?;
    }
    Ok(())
}
