//! Whether a store still holds what an earlier backup of it holds.
//!
//! A store that was restored to an earlier time, or cut, goes on with other events at the same positions. A backup that
//! holds the lost ones is perhaps the last place where they are, so nothing of it is replaced by such a store.

use super::entry::{Entry, Kind};
use super::error::BackupError;
use super::manifest::BackupManifest;
use super::source::{Source, Wanted};
use super::transfer::{Meter, digest};
use crate::disk::{Disk, DiskFile};

/// Refuses a store that does not go on from the backup at `path`.
pub(super) fn check_course<D: Disk>(source: &Source<D>, held: &BackupManifest, path: &str) -> Result<(), BackupError> {
    let parted = |what: String| Err(BackupError::OtherCourse { path: path.to_owned(), what });
    if held.head > source.head {
        let (held, head) = (held.head, source.head);
        return parted(format!(
            "it reaches to position {held}, and what the log proves to {head}; if the store was just killed, open it once"
        ));
    }
    for entry in &held.entries {
        let is_segment = |wanted: &&Wanted<D>| matches!(wanted.entry.kind, Kind::Segment | Kind::Tail);
        let present = source.wanted.iter().filter(is_segment).find(|wanted| wanted.entry.first == entry.first);
        let holds = match (entry.kind, present) {
            (Kind::Index | Kind::Summary, _) => true,
            (Kind::Segment | Kind::Tail, None) => false,
            (Kind::Segment, Some(present)) => {
                let (is, was) = (&present.entry, entry);
                let is_known = is.seal != 0 && was.seal != 0;
                is.kind == Kind::Segment && is.length == was.length && (is.seal == was.seal || !is_known)
            }
            (Kind::Tail, Some(present)) => begins_with(source, present, entry)?,
        };
        if !holds {
            return parted(format!("segment {} is another one, or gone", entry.first));
        }
    }
    Ok(())
}

/// Whether the segment's file begins with the bytes of an earlier tail.
fn begins_with<D: Disk>(source: &Source<D>, present: &Wanted<D>, tail: &Entry) -> Result<bool, BackupError> {
    let is_beginning = present.with_file(&source.disk, |file| {
        let is_long_enough = file.len()? >= tail.length;
        Ok(is_long_enough && digest(file, tail.length, &mut Meter::new(0, &mut |_, _| {}))? == tail.digest)
    });
    let path = source.disk.describe(&present.entry.store_name());
    is_beginning.map_err(BackupError::io(path, "cannot read the segment"))
}
