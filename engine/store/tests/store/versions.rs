//! Stores of another time or another product are refused by name, and not one byte of them is changed.

use crate::damage::closed_store;
use crate::support::{open, small_options, texts};
use gesta::disk::SimulatedDisk;
use gesta::{OpenError, Options, Read, Reader, Store};

pub(crate) const VERSION: usize = 8;
const MANIFEST_FEATURES: [usize; 3] = [16, 24, 32];
pub(crate) const SEGMENT_VERSION: usize = 12;
const SEGMENT_FEATURES: [usize; 3] = [16, 24, 32];
const SEGMENT_HEADER_BYTES: usize = 128;

/// Sets a byte of a manifest, checksum included.
pub(crate) fn edit_manifest(bytes: &mut [u8], offset: usize, value: u8) {
    bytes[offset] = value;
    let end = bytes.len() - 4;
    let crc = crc32fast::hash(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
}

/// Sets a byte of both copies of a segment's header, checksums included.
pub(crate) fn edit_segment(bytes: &mut [u8], offset: usize, value: u8) {
    for start in [0, 2048] {
        let copy = &mut bytes[start..start + SEGMENT_HEADER_BYTES];
        copy[offset] = value;
        let crc = crc32fast::hash(&copy[..SEGMENT_HEADER_BYTES - 4]);
        copy[SEGMENT_HEADER_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
    }
}

/// Sets a byte of both copies of the manifest of a store.
fn set_in_manifest(disk: &SimulatedDisk, offset: usize, value: u8) {
    for name in ["manifest", "manifest.copy"] {
        let mut bytes = disk.image(name);
        edit_manifest(&mut bytes, offset, value);
        disk.restore(name, bytes);
    }
}

/// Sets a byte of the header of a segment of a store.
fn set_in_segment(disk: &SimulatedDisk, name: &str, offset: usize, value: u8) {
    let mut bytes = disk.image(name);
    edit_segment(&mut bytes, offset, value);
    disk.restore(name, bytes);
}

fn image(disk: &SimulatedDisk) -> Vec<(String, Vec<u8>)> {
    disk.file_names().into_iter().map(|name| (name.clone(), disk.image(&name))).collect()
}

/// Writers and readers are refused, told of `why`, and nothing is changed.
fn check_refused(disk: &SimulatedDisk, why: &str) {
    let before = image(disk);
    let written = Store::open_on(disk.clone(), small_options()).err();
    let read = Reader::open_on(disk.clone()).err();
    for refused in [written, read] {
        let Some(refused) = refused else { panic!("{why}: opened") };
        assert!(matches!(refused, OpenError::Unsupported { .. }), "{why}: {refused:?}");
        let text = refused.to_string();
        assert!(text.contains(why) && text.contains("use a newer gesta"), "{why}: {text}");
    }
    assert!(before == image(disk), "{why}: a refused store is not changed");
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_untouched() {
    let (disk, _) = closed_store();
    set_in_manifest(&disk, VERSION, 2);
    check_refused(&disk, "version 2");
}

#[test]
fn a_segment_of_a_newer_version_is_refused_and_left_untouched() {
    let (disk, _) = closed_store();
    for name in disk.file_names().iter().filter(|name| name.ends_with(".log")).take(3) {
        let disk = disk.fork();
        set_in_segment(&disk, name, SEGMENT_VERSION, 2);
        check_refused(&disk, "version 2");
    }
}

#[test]
fn unknown_features_are_refused_by_their_bits_unless_they_may_be_ignored() {
    let (disk, expected) = closed_store();
    let [incompatible, read_only, compatible] = MANIFEST_FEATURES;
    for offset in [incompatible, read_only] {
        let disk = disk.fork();
        set_in_manifest(&disk, offset, 0x40);
        check_refused(&disk, "0x40");
    }
    for offset in &SEGMENT_FEATURES[..2] {
        let disk = disk.fork();
        set_in_segment(&disk, "0000000002-0000.log", *offset, 0x20);
        check_refused(&disk, "0x20");
    }
    set_in_manifest(&disk, compatible, 0x40);
    set_in_segment(&disk, "0000000002-0000.log", SEGMENT_FEATURES[2], 0x20);
    assert_eq!(texts(open(&disk).read(Read::all())).unwrap(), expected);
}

#[test]
fn a_directory_of_another_product_is_refused_and_left_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let files = [("PG_VERSION", "15\n"), ("manifest.json", "{}"), ("0001.log", "not ours")];
    for (name, text) in files {
        let path = directory.path().join(name.split('.').next().unwrap());
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join(name), text).unwrap();
        let Err(refused) = Store::open(&path, Options::default()) else { panic!("{name} is not ours") };
        assert!(matches!(&refused, OpenError::NotAStore { found, .. } if found == name), "{refused:?}");
        assert!(matches!(Reader::open(&path).err(), Some(OpenError::NotFound { .. })), "{name}");
        let left: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [name]);
        assert_eq!(std::fs::read_to_string(path.join(name)).unwrap(), text);
    }
}

#[test]
fn a_file_of_another_product_under_our_names_is_refused_and_left_untouched() {
    for name in ["manifest", "manifest.copy", "0000000001-0000.log"] {
        let disk = SimulatedDisk::new(1);
        disk.restore(name, b"something else altogether, and long enough to be looked at".to_vec());
        let before = image(&disk);
        let Err(refused) = Store::open_on(disk.clone(), small_options()) else { panic!("{name} is not ours") };
        assert!(matches!(refused, OpenError::ManifestDamaged { .. }), "{name}: {refused:?}");
        assert!(before == image(&disk), "{name}");
    }
}
