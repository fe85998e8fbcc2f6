//! A store that does not exist yet.

use crate::disk::Disk;
use crate::environment::Environment;
use crate::log::error::OpenError;
use crate::log::files::{MANIFESTS, are_of_a_backup, is_log_file, parse_segment_name};
use crate::log::manifest::Manifest;
use gesta_model::codec::StoreKey;

/// Refuses a directory that holds anything but what an interrupted creation left.
pub(crate) fn check_vacant<D: Disk>(disk: &D) -> Result<(), OpenError> {
    let names = disk.list().map_err(OpenError::io(disk.describe(""), "cannot list the directory"))?;
    if are_of_a_backup(&names) {
        return Err(OpenError::Backup { path: disk.describe("") });
    }
    if let Some(segment) = names.iter().find(|name| parse_segment_name(name).is_some()) {
        let what = format!("the segment {segment} is there without it");
        return Err(OpenError::ManifestDamaged { path: disk.describe(MANIFESTS[0]), what });
    }
    if let Some(found) = names.iter().find(|name| !is_log_file(name)) {
        return Err(OpenError::NotAStore { path: disk.describe(""), found: found.clone() });
    }
    Ok(())
}

/// Gives a vacant directory its manifest.
///
/// The first segment appears like every other one, as a spare that the first append opens.
pub(crate) fn create_store<D: Disk>(
    disk: &D,
    environment: &Environment,
    indexes_event_ids: bool,
) -> Result<Manifest, OpenError> {
    check_vacant(disk)?;
    let store_id = uuid::Builder::from_random_bytes(environment.random()).into_uuid();
    let mut manifest = Manifest::new(store_id, StoreKey(environment.random()), indexes_event_ids);
    manifest.store(disk).map_err(OpenError::io(disk.describe(MANIFESTS[0]), "cannot write the manifest"))?;
    Ok(manifest)
}
