//! The names of a store's files, and the one helper that makes a file appear whole.

use crate::disk::{Access, Disk, DiskFile};
use crate::sabotage::{Bug, has};
use std::io;

/// Held by the one writer.
pub(crate) const LOCK: &str = "lock";
/// The two copies of the manifest.
pub(crate) const MANIFESTS: [&str; 2] = ["manifest", "manifest.copy"];
/// Takes room that is given back when the disk is full.
pub(crate) const RESERVE: &str = "reserve";
/// In a directory that holds a backup: what the backup holds, in two copies, of which the first counts.
pub(crate) const BACKUPS: [&str; 2] = ["backup", "backup.copy"];
/// In a directory in which a first backup was begun: whose it is.
pub(crate) const BACKUP_BEGUN: &str = "backup.begun";
/// The end of the name of a file that is still being made; one that is left over means nothing.
pub(crate) const UNFINISHED: &str = ".new";
const SEGMENT: &str = ".log";
const INDEX: &str = ".idx";
const SUMMARY: &str = ".sum";
const SNAPSHOTS: &str = ".snp";

/// The name of a segment file.
pub(crate) fn segment_name(number: u64, generation: u32) -> String {
    format!("{number:010}-{generation:04}{SEGMENT}")
}

/// The number and generation in a segment file's name.
pub(crate) fn parse_segment_name(name: &str) -> Option<(u64, u32)> {
    let (number, generation) = name.strip_suffix(SEGMENT)?.split_once('-')?;
    let parsed = (number.parse().ok()?, generation.parse().ok()?);
    (segment_name(parsed.0, parsed.1) == name).then_some(parsed)
}

/// The name of the index file of a segment, which bears the segment's number and generation.
pub(crate) fn index_name(number: u64, generation: u32) -> String {
    format!("{number:010}-{generation:04}{INDEX}")
}

/// The number and generation in an index file's name.
pub(crate) fn parse_index_name(name: &str) -> Option<(u64, u32)> {
    let (number, generation) = name.strip_suffix(INDEX)?.split_once('-')?;
    let parsed = (number.parse().ok()?, generation.parse().ok()?);
    (index_name(parsed.0, parsed.1) == name).then_some(parsed)
}

/// The name of the summary of the index files of segments `first` to `last`, both included.
pub(crate) fn summary_name(first: u64, last: u64) -> String {
    format!("{first:010}-{last:010}{SUMMARY}")
}

/// The first and last segment number in a summary's name.
pub(crate) fn parse_summary_name(name: &str) -> Option<(u64, u64)> {
    let (first, last) = name.strip_suffix(SUMMARY)?.split_once('-')?;
    let parsed = (first.parse().ok()?, last.parse().ok()?);
    (summary_name(parsed.0, parsed.1) == name).then_some(parsed)
}

/// The name of a file of snapshots.
pub(crate) fn snapshot_name(number: u64) -> String {
    format!("{number:010}{SNAPSHOTS}")
}

/// The number in the name of a file of snapshots.
pub(crate) fn parse_snapshot_name(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SNAPSHOTS)?.parse().ok()?;
    (snapshot_name(number) == name).then_some(number)
}

/// Whether a name is one that a store gives to its files.
pub(crate) fn is_log_file(name: &str) -> bool {
    let finished = name.strip_suffix(UNFINISHED).unwrap_or(name);
    name == LOCK
        || name == RESERVE
        || MANIFESTS.contains(&finished)
        || parse_segment_name(finished).is_some()
        || parse_index_name(finished).is_some()
        || parse_summary_name(finished).is_some()
        || parse_snapshot_name(name).is_some()
}

/// Whether names are those of a store: a manifest is among them, or a segment that has lost it and is not a backup's.
pub(crate) fn are_of_a_store(names: impl Iterator<Item = String>) -> bool {
    let names: Vec<String> = names.collect();
    let has_manifest = names.iter().any(|name| MANIFESTS.contains(&name.as_str()));
    has_manifest || (names.iter().any(|name| parse_segment_name(name).is_some()) && !are_of_a_backup(&names))
}

/// Whether names are those of a backup, whole or begun.
pub(crate) fn are_of_a_backup(names: &[String]) -> bool {
    names.iter().any(|name| BACKUPS.contains(&name.as_str()) || name == BACKUP_BEGUN)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SimulatedDisk;

    #[test]
    fn names_are_read_back_and_nothing_else_is() {
        assert_eq!(parse_segment_name(&segment_name(3, 1)), Some((3, 1)));
        assert_eq!(parse_index_name(&index_name(3, 1)), Some((3, 1)));
        assert_eq!(parse_summary_name(&summary_name(3, 10)), Some((3, 10)));
        assert_eq!(parse_snapshot_name(&snapshot_name(3)), Some(3));
        assert_eq!(parse_snapshot_name("3.snp"), None);
        assert_eq!(parse_index_name(&segment_name(3, 1)), None);
        assert_eq!(parse_segment_name(&index_name(3, 1)), None);
        assert_eq!(parse_index_name("3-1.idx"), None);
        assert_eq!(parse_summary_name("0000000003-0010.sum"), None);
        assert_eq!(parse_index_name("+000000003-0001.idx"), None);
    }

    #[test]
    fn an_index_file_belongs_to_the_store_and_an_unfinished_one_is_removed() {
        let disk = SimulatedDisk::new(1);
        for name in [index_name(1, 0), summary_name(1, 4)] {
            assert!(is_log_file(&name));
            disk.restore(&name, vec![1]);
            disk.restore(&format!("{name}{UNFINISHED}"), vec![1]);
        }
        disk.restore("notes.idx.new", vec![1]);
        remove_unfinished(&disk, &disk.list().unwrap()).unwrap();
        let mut left = disk.list().unwrap();
        left.sort();
        assert_eq!(left, ["0000000001-0000.idx", "0000000001-0000000004.sum", "notes.idx.new"]);
    }
}
