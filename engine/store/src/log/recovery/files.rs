//! The segment files of a store and what their headers say, before anything is judged.

use crate::disk::{Access, Disk, DiskFile};
use crate::log::error::OpenError;
use crate::log::files::{parse_segment_name, segment_name};
use crate::log::manifest::Manifest;
use gesta_model::codec::{HEADER_PAGE_BYTES, SegmentError, SegmentHeader};

/// One segment file.
pub(crate) struct SegmentFile<D: Disk> {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) file: D::File,
    pub(crate) length: u64,
    /// What it says of itself; a spare has not been written yet.
    pub(crate) header: Result<SegmentHeader, SegmentError>,
}

/// All segment files in the order of their numbers. Refuses files of another store or a later version.
pub(crate) fn read_segment_files<D: Disk>(
    disk: &D,
    manifest: &Manifest,
    access: Access,
) -> Result<Vec<SegmentFile<D>>, OpenError> {
    let names = disk.list().map_err(OpenError::io(disk.describe(""), "cannot list the directory"))?;
    let mut numbers: Vec<(u64, u32)> = names.iter().filter_map(|name| parse_segment_name(name)).collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|(number, generation)| read_file(disk, manifest, access, number, generation)).collect()
}

fn read_file<D: Disk>(
    disk: &D,
    manifest: &Manifest,
    access: Access,
    number: u64,
    generation: u32,
) -> Result<SegmentFile<D>, OpenError> {
    let name = segment_name(number, generation);
    let path = disk.describe(&name);
    let file = disk.open(&name, access).map_err(OpenError::io(path.clone(), "cannot open the segment"))?;
    let length = file.len().map_err(OpenError::io(path.clone(), "cannot ask the segment's length"))?;
    let header = read_header(&file);
    match &header {
        Ok(header) => fits(header, manifest, number, generation)
            .map_err(|what| OpenError::Foreign { path: path.clone(), what: what.to_owned() })?,
        Err(error @ (SegmentError::Version(_) | SegmentError::Features(_))) => {
            return Err(OpenError::Unsupported { path, what: error.to_string() });
        }
        Err(SegmentError::Unwritten | SegmentError::Damaged | SegmentError::Foreign) => {}
    }
    Ok(SegmentFile { number, name, path, file, length, header })
}

/// What a segment file says of itself; a page that cannot be read is damaged.
pub(super) fn read_header(file: &impl DiskFile) -> Result<SegmentHeader, SegmentError> {
    let mut page = [0; HEADER_PAGE_BYTES];
    match file.read_at(&mut page, 0) {
        Ok(()) => SegmentHeader::decode(&page),
        Err(_) => Err(SegmentError::Damaged),
    }
}

/// Whether a header belongs to this store and this file name.
fn fits(header: &SegmentHeader, manifest: &Manifest, number: u64, generation: u32) -> Result<(), &'static str> {
    if header.store_id != manifest.store_id {
        Err("the segment belongs to another store")
    } else if (header.number, header.generation) != (number, generation) {
        Err("the segment was written under another name")
    } else if header.incarnation > manifest.incarnation {
        Err("the segment is younger than the manifest")
    } else {
        Ok(())
    }
}
