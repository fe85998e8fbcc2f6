//! The log that a backup holds, read in place.

use super::entry::Kind;
use super::manifest::BackupManifest;
use crate::disk::{Access, Disk, DiskFile};
use crate::log::{Log, Segment, Segments};
use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentHeader};
use std::sync::Arc;

/// The log of a backup. What has lost its file or its header is left out, and found missing by whoever reads.
pub(super) fn held_log<D: Disk>(disk: &D, manifest: &BackupManifest) -> Log<D> {
    let mut list = Vec::new();
    for entry in manifest.entries.iter().filter(|entry| matches!(entry.kind, Kind::Segment | Kind::Tail)) {
        let name = entry.name();
        let Ok(file) = disk.open(&name, Access::Read) else { continue };
        let mut page = [0; HEADER_PAGE_BYTES];
        let Ok(length) = file.read_at(&mut page, 0).and_then(|()| file.len()) else { continue };
        if let Ok(header) = SegmentHeader::decode(&page)
            && (header.number, header.store_id) == (entry.first, manifest.store.store_id)
        {
            list.push(Arc::new(Segment::new(entry.first, header.base, disk.describe(&name), file, length)));
        }
    }
    let store = (manifest.store.store_id, manifest.store.origin.clone());
    Log::new(store, Segments { list }, manifest.head)
}
