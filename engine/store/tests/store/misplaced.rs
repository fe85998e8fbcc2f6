//! Bytes that are true in themselves and stand in the wrong place or belong to another time: lost, misdirected and stale
//! writes, old copies of files, files that are short or gone.

use crate::damage::read_over_damage;
use crate::support::{open, request};
use gesta::codec::{BatchHeader, HEADER_PAGE_BYTES, HEADERS_BYTES, StoreKey};
use gesta::disk::{CrashPlan, Granularity, Keep, SimulatedDisk};
use gesta::{Durability, Reader};

/// The batches of a segment with events in them: where each begins and how long it is.
fn batches(disk: &SimulatedDisk, name: &str) -> Vec<(u64, u64)> {
    let key = StoreKey(disk.image("manifest")[56..72].try_into().unwrap());
    let image = disk.image(name);
    let mut batches = Vec::new();
    for offset in (HEADER_PAGE_BYTES..image.len()).step_by(8) {
        if let Some(headers) = image[offset..].first_chunk::<HEADERS_BYTES>()
            && let Ok((header, _)) = BatchHeader::decode(headers, &key)
            && header.count > 0
        {
            batches.push((offset as u64, header.bytes() as u64));
        }
    }
    batches
}

fn segments(disk: &SimulatedDisk) -> Vec<String> {
    disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect()
}

/// The segments that hold events.
fn written_segments(disk: &SimulatedDisk) -> Vec<String> {
    segments(disk).into_iter().filter(|name| !batches(disk, name).is_empty()).collect()
}

fn check_reader(reader: &Reader<SimulatedDisk>, expected: &[String], what: &str) -> u64 {
    let (found, lost) = read_over_damage(reader);
    for (position, data) in &found {
        assert_eq!(*data, expected[usize::try_from(*position).unwrap()], "{what}: a wrong event");
    }
    assert_eq!(found.len() as u64 + lost, expected.len() as u64, "{what}: silently shorter");
    lost
}

#[test]
fn a_write_that_a_power_cut_took_and_a_stale_sector_brings_back_is_noticed() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    store.append(request("a-1", &["first"], Durability::Durable)).unwrap();
    store.append(request("a-1", &["void!"], Durability::Written)).unwrap();
    let name = written_segments(&disk).pop().unwrap();
    let stale = disk.image(&name);
    let (offset, bytes) = batches(&disk, &name)[1];
    disk.power_cut(&CrashPlan { seed: 1, keep: Keep::None, granularity: Granularity::Sector });
    drop(store);
    let store = open(&disk);
    for data in ["truth", "later"] {
        store.append(request("a-1", &[data], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    assert_eq!(batches(&disk, &name)[1], (offset, bytes), "the void batch and the true one fill the same place");
    let range = usize::try_from(offset).unwrap()..usize::try_from(offset + bytes).unwrap();
    disk.overwrite(&name, offset, &stale[range]);
    let store = open(&disk);
    assert!(store.recovery().is_degraded, "{:?}", store.recovery());
    let expected = ["first", "truth", "later"].map(str::to_owned);
    let lost = check_reader(&store.reader(), &expected, "a stale batch of the same place");
    assert_eq!(lost, 1);
}
