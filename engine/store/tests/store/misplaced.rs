//! Bytes that are true in themselves and stand in the wrong place or belong to another time: lost, misdirected and stale
//! writes, old copies of files, files that are short or gone.

use crate::damage::{closed_store, read_over_damage};
use crate::support::{event, open, request, small_options, texts};
use gesta::codec::{BatchHeader, HEADER_PAGE_BYTES, HEADERS_BYTES, StoreKey};
use gesta::disk::{CrashPlan, Granularity, Keep, SimulatedDisk};
use gesta::{AppendError, AppendRequest, Durability, OpenError, Position, Read, ReadError, Reader, Store};

/// Every batch of a segment: where it begins, and its header.
fn headers(disk: &SimulatedDisk, name: &str) -> Vec<(u64, BatchHeader)> {
    let key = StoreKey(disk.image("manifest")[56..72].try_into().unwrap());
    let image = disk.image(name);
    let offsets = (HEADER_PAGE_BYTES..image.len()).step_by(8);
    offsets
        .filter_map(|offset| {
            let (header, _) = BatchHeader::decode(image[offset..].first_chunk::<HEADERS_BYTES>()?, &key).ok()?;
            Some((offset as u64, header))
        })
        .collect()
}

/// The batches of a segment with events in them: where each begins and how long it is.
pub(crate) fn batches(disk: &SimulatedDisk, name: &str) -> Vec<(u64, u64)> {
    let all = headers(disk, name).into_iter().filter(|(_, header)| header.count > 0);
    all.map(|(offset, header)| (offset, header.bytes() as u64)).collect()
}

fn segments(disk: &SimulatedDisk) -> Vec<String> {
    disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect()
}

/// The segments that hold events.
pub(crate) fn written_segments(disk: &SimulatedDisk) -> Vec<String> {
    segments(disk).into_iter().filter(|name| !batches(disk, name).is_empty()).collect()
}

/// No wrong event is read, and every position is either read or named as lost. A log whose end or order is in doubt takes
/// no appends; damage inside a sealed segment is named by verifying. Returns how many events are lost.
fn check_honest(disk: &SimulatedDisk, expected: &[String], what: &str) -> u64 {
    let before: Vec<Vec<u8>> = segments(disk).iter().map(|name| disk.image(name)).collect();
    let store = Store::open_on(disk.clone(), small_options()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let lost = check_reader(&store.reader(), expected, what);
    let reader = Reader::open_on(disk.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(check_reader(&reader, expected, what), lost, "{what}: a reader beside it");
    let appended = store.append(request("a-1", &["x"], Durability::Durable));
    if lost == 0 {
        return lost;
    }
    let verified = reader.verify(false, &mut |_, _| {});
    assert!(verified.damage.iter().any(|damage| !damage.positions.is_empty()), "{what}: {verified:?}");
    if !store.recovery().is_degraded {
        appended.unwrap_or_else(|error| panic!("{what}: {error}"));
        return lost;
    }
    assert!(matches!(appended, Err(AppendError::Degraded { .. })), "{what}: {appended:?}");
    drop(store);
    let after: Vec<Vec<u8>> = segments(disk).iter().map(|name| disk.image(name)).collect();
    assert!(before == after, "{what}: a damaged store is not changed");
    lost
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
pub(crate) fn a_lost_write_of_four_kilobytes_anywhere_is_noticed() {
    let (disk, expected) = closed_store();
    for name in written_segments(&disk) {
        let image = disk.image(&name);
        for offset in (HEADER_PAGE_BYTES..image.len()).step_by(512) {
            let end = image.len().min(offset + 4096);
            if image[offset..end].iter().all(|byte| *byte == 0) {
                continue;
            }
            let disk = disk.fork();
            disk.zero(&name, offset as u64..end as u64);
            let hit = batches(&disk, &name).len() < batches_of_image(&disk, &name, &image);
            let lost = check_honest(&disk, &expected, &format!("{name}: zeros at {offset}"));
            assert!(lost > 0 || !hit, "{name}: zeros at {offset}");
        }
    }
}

/// How many batches the segment held when it had this image.
fn batches_of_image(disk: &SimulatedDisk, name: &str, image: &[u8]) -> usize {
    let whole = disk.fork();
    whole.restore(name, image.to_vec());
    batches(&whole, name).len()
}

#[test]
fn a_batch_that_was_written_to_the_wrong_place_is_noticed_there() {
    let (disk, expected) = closed_store();
    let all: Vec<(String, u64, u64)> = written_segments(&disk)
        .into_iter()
        .flat_map(|name| batches(&disk, &name).into_iter().map(move |(offset, bytes)| (name.clone(), offset, bytes)))
        .collect();
    let mut copies = 0;
    for (from_name, from, bytes) in all.iter().step_by(3) {
        for (to_name, to, room) in all.iter().step_by(5) {
            let is_itself = (from_name, from) == (to_name, to);
            if is_itself || bytes != room {
                continue;
            }
            let disk = disk.fork();
            disk.copy_within(from_name, *from..from + bytes, to_name, *to);
            let what = format!("{from_name} byte {from} over {to_name} byte {to}");
            assert_eq!(check_honest(&disk, &expected, &what), 2, "{what}: exactly one batch is lost");
            copies += 1;
        }
    }
    assert!(copies > 100, "{copies}");
}

#[test]
fn a_batch_that_was_written_across_two_others_costs_no_third() {
    let (disk, expected) = closed_store();
    let name = &written_segments(&disk)[1];
    let batches = batches(&disk, name);
    let (from, bytes) = batches[0];
    for window in batches[1..].windows(2) {
        let disk = disk.fork();
        disk.copy_within(name, from..from + bytes, name, window[0].0 + 16);
        let lost = check_honest(&disk, &expected, &format!("{name} byte {} and 16", window[0].0));
        assert!((2..=4).contains(&lost), "{lost}");
    }
}

/// Headers that stood within a damaged batch, its own or those of a later one, were taken for the batch that comes next. Their
/// length then led into the middle of a batch that was whole, or their position beyond it, and it counted as lost.
#[test]
fn headers_that_were_written_into_a_damaged_batch_cost_no_other() {
    let (disk, expected) = closed_store();
    let headers = HEADERS_BYTES as u64;
    let written = written_segments(&disk);
    let last = written.last().unwrap();
    let (last_offset, _) = *batches(&disk, last).last().unwrap();
    let mut copies = 0;
    for name in &written {
        for (offset, bytes) in batches(&disk, name) {
            assert!(bytes > 3 * headers);
            for (from_name, from) in [(name, offset), (last, last_offset)] {
                for is_zeroed in [false, true] {
                    let disk = disk.fork();
                    disk.copy_within(from_name, from..from + headers, name, offset + headers + 8);
                    if is_zeroed {
                        // As where a mark was lost, after which the log goes on.
                        let (mut image, start) = (disk.image(name), usize::try_from(offset).unwrap());
                        image[start..start + HEADERS_BYTES + 8].fill(0);
                        disk.restore(name, image);
                    } else {
                        disk.flip_bit(name, offset + 10, 3);
                    }
                    let what = format!("headers of {from_name} byte {from} in {name} byte {offset}, {is_zeroed}");
                    assert_eq!(check_honest(&disk, &expected, &what), 2, "{what}: exactly one batch is lost");
                    copies += 1;
                }
            }
        }
    }
    assert!(copies > 100, "{copies}");
}

/// A whole copy was believed, and so were the headers right after it, which continued it; their length led into the middle of a
/// batch that was whole.
#[test]
fn a_stretch_that_was_written_again_a_little_further_on_costs_no_batch_beyond_it() {
    let (disk, expected) = closed_store();
    let headers = HEADERS_BYTES as u64;
    let mut moved = 0;
    for name in &written_segments(&disk) {
        for window in batches(&disk, name).windows(2) {
            let [(first, _), (second, bytes)] = *window else { unreachable!("windows of two") };
            assert!(bytes > 3 * headers);
            let disk = disk.fork();
            disk.copy_within(name, first..second + headers, name, first + headers);
            disk.flip_bit(name, first + 10, 3);
            let what = format!("{name} from byte {first}");
            assert_eq!(check_honest(&disk, &expected, &what), 2, "{what}: exactly the second batch is lost");
            moved += 1;
        }
    }
    assert!(moved > 50, "{moved}");
}

/// A whole copy of a later batch that stood within a damaged one was taken for the batch that comes next, and all between the
/// two counted as lost.
#[test]
fn a_later_batch_that_was_written_into_a_damaged_one_costs_no_other() {
    let disk = SimulatedDisk::new(3);
    let mut expected = Vec::new();
    for life in 0..4 {
        let store = open(&disk);
        for number in 0..10 {
            // Long ones have room for a copy of a short one.
            let data = format!("event {number} of life {life} {}", "x".repeat(if number < 9 { 900 } else { 0 }));
            store.append(request("a-1", &[&data], Durability::Durable)).unwrap();
            expected.push(data);
        }
        store.close().unwrap();
    }
    let written = written_segments(&disk);
    let all: Vec<(&String, u64, BatchHeader)> =
        written.iter().flat_map(|name| headers(&disk, name).into_iter().map(move |(at, it)| (name, at, it))).collect();
    let mut copies = [0; 3];
    for (to_name, to, damaged) in all.iter().filter(|(_, _, header)| header.body_bytes > 900) {
        let later = all.iter().filter(|(_, _, header)| header.base > damaged.base && header.body_bytes < 300);
        for (from_name, from, copied) in later {
            let (room, end) = (to + HEADERS_BYTES as u64 + 8, to + damaged.bytes() as u64);
            assert!(room + copied.bytes() as u64 + 8 <= end);
            for then_zeros in [false, true] {
                let disk = disk.fork();
                if then_zeros {
                    disk.zero(to_name, room..end);
                }
                disk.copy_within(from_name, *from..from + copied.bytes() as u64, to_name, room);
                disk.flip_bit(to_name, to + 10, 3);
                let what = format!("{:?} {} in {to_name} byte {to}", copied.kind, copied.base.0);
                assert_eq!(check_honest(&disk, &expected, &what), 1, "{what}: exactly one batch is lost");
                copies[copied.kind as usize] += 1;
            }
        }
    }
    assert!(copies.iter().all(|count| *count > 50), "{copies:?}");
}

/// The first batch of a segment, written over the last one of the segment before, begins where that one's positions end.
#[test]
fn a_batch_of_the_next_segment_is_not_read_as_one_of_this_as_well() {
    let (disk, expected) = closed_store();
    let written = written_segments(&disk);
    for pair in written.windows(2) {
        let (to, _) = *batches(&disk, &pair[0]).last().unwrap();
        let (from, bytes) = batches(&disk, &pair[1])[0];
        let disk = disk.fork();
        disk.copy_within(&pair[1], from..from + bytes, &pair[0], to + 8);
        let what = format!("the first batch of {} at the end of {}", pair[1], pair[0]);
        assert_eq!(check_honest(&disk, &expected, &what), 2, "{what}: exactly one batch is lost");
    }
    assert!(written.len() > 2);
}

#[test]
fn a_batch_that_was_written_beyond_the_end_of_the_log_is_not_part_of_it() {
    let (disk, expected) = closed_store();
    let written = written_segments(&disk);
    let (from_name, to_name) = (&written[0], written.last().unwrap());
    let (from, bytes) = batches(&disk, from_name)[1];
    let (last, last_bytes) = *batches(&disk, to_name).last().unwrap();
    let near = disk.fork();
    near.copy_within(from_name, from..from + bytes, to_name, last + last_bytes + 512);
    assert_eq!(check_honest(&near, &expected, "soon after the end"), 0);
    assert_eq!(open(&near).reader().head().0, expected.len() as u64 + 1, "an interrupted write explains it");

    disk.copy_within(from_name, from..from + bytes, to_name, disk.image(to_name).len() as u64 - bytes);
    assert_eq!(check_honest(&disk, &expected, "far beyond the end"), 0);
    let store = open(&disk);
    assert!(store.recovery().is_degraded, "no interrupted write explains it");
    assert!(matches!(store.append(request("a-1", &["x"], Durability::Durable)), Err(AppendError::Degraded { .. })));
}

#[test]
pub(crate) fn an_old_copy_of_any_segment_is_noticed() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    let (mut expected, mut copies) = (Vec::new(), Vec::new());
    for number in 0..70 {
        let data = format!("event {number} {}", "x".repeat(150));
        store.append(request("a-1", &[&data], Durability::Durable)).unwrap();
        expected.push(data);
        let newest = written_segments(&disk).pop().unwrap();
        copies.push((newest.clone(), disk.image(&newest), expected.len()));
    }
    store.close().unwrap();
    assert!(written_segments(&disk).len() >= 3);
    for (name, image, count) in copies {
        let now = batches(&disk, &name).len();
        let disk = disk.fork();
        disk.restore(&name, image.clone());
        let gone = now - batches(&disk, &name).len();
        let lost = check_honest(&disk, &expected, &format!("{name} as it was after {count} events"));
        assert_eq!(lost, gone as u64, "{name} as it was after {count} events");
    }
}

#[test]
fn an_old_copy_of_both_manifests_is_refused() {
    let (disk, expected) = closed_store();
    let old: Vec<Vec<u8>> = ["manifest", "manifest.copy"].iter().map(|name| disk.image(name)).collect();
    let store = open(&disk);
    store.append(request("a-1", &["of a later life"], Durability::Durable)).unwrap();
    store.close().unwrap();
    disk.restore("manifest", old[0].clone());
    assert_eq!(open(&disk.fork()).reader().head(), Position(expected.len() as u64 + 1), "the newer copy counts");
    disk.restore("manifest.copy", old[1].clone());
    let before: Vec<Vec<u8>> = disk.file_names().iter().map(|name| disk.image(name)).collect();
    let Err(error) = Store::open_on(disk.clone(), small_options()) else { panic!("the manifest is too old") };
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
    let after: Vec<Vec<u8>> = disk.file_names().iter().map(|name| disk.image(name)).collect();
    assert!(before == after, "a refused store is not changed");
}

#[test]
fn a_segment_of_another_store_is_refused() {
    let (disk, _) = closed_store();
    let other = SimulatedDisk::new(4);
    let store = open(&other);
    store.append(request("a-1", &["of another store"], Durability::Durable)).unwrap();
    store.close().unwrap();
    for name in written_segments(&disk) {
        let disk = disk.fork();
        disk.restore(&name, other.image(&written_segments(&other)[0]));
        let Err(error) = Store::open_on(disk.clone(), small_options()) else { panic!("{name} is of another store") };
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        assert!(Reader::open_on(disk).is_err(), "{name}");
    }
}

#[test]
fn a_segment_that_was_shortened_or_emptied_is_noticed_and_left_as_it_is() {
    let (disk, expected) = closed_store();
    for name in written_segments(&disk) {
        let length = disk.image(&name).len() as u64;
        let ends: Vec<u64> = batches(&disk, &name).iter().map(|(offset, bytes)| offset + bytes).collect();
        let last = *ends.last().unwrap();
        for short in [0, 100, 4096, 5000, ends[0], last - 8, length - 4096, length - 1] {
            let kept = ends.iter().filter(|end| **end <= short).count();
            let disk = disk.fork();
            disk.truncate(&name, short);
            let lost = check_honest(&disk, &expected, &format!("{name} cut to {short} bytes"));
            assert_eq!(lost, 2 * (ends.len() - kept) as u64, "{name} cut to {short} bytes");
        }
        let disk = disk.fork();
        disk.zero(&name, 0..length);
        let lost = check_honest(&disk, &expected, &format!("{name} is all zeros"));
        assert_eq!(lost, 2 * ends.len() as u64, "{name} is all zeros");
    }
}

#[test]
fn an_emptied_tail_is_noticed_even_when_the_store_was_not_closed() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    for number in 0..30 {
        let data = format!("event {number} {}", "x".repeat(200));
        store.append(request("a-1", &[&data], Durability::Durable)).unwrap();
    }
    disk.power_cut(&CrashPlan { seed: 1, keep: Keep::None, granularity: Granularity::Sector });
    drop(store);
    let tail = written_segments(&disk).pop().unwrap();
    disk.truncate(&tail, 0);
    let store = open(&disk);
    assert!(store.recovery().is_degraded, "{:?}", store.recovery());
    assert!(store.recovery().damage[0].file.ends_with(&tail), "{:?}", store.recovery());
    assert!(matches!(store.append(AppendRequest::new()), Err(AppendError::Degraded { .. })));
}

#[test]
fn any_missing_segment_is_named_and_the_rest_is_read() {
    let (disk, expected) = closed_store();
    for name in written_segments(&disk) {
        let count = batches(&disk, &name).len() as u64;
        let disk = disk.fork();
        disk.delete(&name);
        assert_eq!(check_honest(&disk, &expected, &format!("{name} is missing")), 2 * count);
        let store = open(&disk);
        let named = store.recovery().damage.iter().any(|damage| damage.what.contains("missing"));
        assert!(named, "{:?}", store.recovery().damage);
    }
}

#[test]
pub(crate) fn a_write_that_a_power_cut_took_and_a_stale_sector_brings_back_is_noticed() {
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

#[test]
pub(crate) fn a_batch_of_a_twin_of_the_store_breaks_the_chain() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    store.append(request("a-1", &["first"], Durability::Durable)).unwrap();
    store.close().unwrap();
    let twin = disk.fork();
    for (disk, data) in [(&disk, "truth"), (&twin, "other")] {
        let store = open(disk);
        for data in [data, "later"] {
            store.append(request("a-1", &[data], Durability::Durable)).unwrap();
        }
        store.close().unwrap();
    }
    let name = written_segments(&disk).pop().unwrap();
    let (offset, bytes) = batches(&disk, &name)[1];
    assert_eq!(batches(&twin, &name)[1], (offset, bytes), "both fill the same place");
    let range = usize::try_from(offset).unwrap()..usize::try_from(offset + bytes).unwrap();
    disk.overwrite(&name, offset, &twin.image(&name)[range]);
    let store = open(&disk);
    assert!(store.recovery().is_degraded, "{:?}", store.recovery());
    assert!(matches!(store.append(AppendRequest::new()), Err(AppendError::Degraded { .. })));
}

#[test]
pub(crate) fn a_segment_of_a_twin_of_the_store_is_refused() {
    let disk = SimulatedDisk::new(3);
    open(&disk).close().unwrap();
    let twin = disk.fork();
    for (disk, data) in [(&disk, "truth"), (&twin, "other")] {
        let store = open(disk);
        for number in 0..100 {
            let data = format!("{data} {number:03} {}", "x".repeat(100));
            store.append(request("a-1", &[&data], Durability::Durable)).unwrap();
        }
        store.close().unwrap();
    }
    let segments = written_segments(&disk);
    assert!(segments.len() >= 3 && segments == written_segments(&twin));
    for name in &segments {
        assert_eq!(batches(&disk, name), batches(&twin, name), "the twins differ in nothing but the events");
        let disk = disk.fork();
        disk.restore(name, twin.image(name));
        let written = Store::open_on(disk.clone(), small_options()).err();
        for refused in [written, Reader::open_on(disk).err()] {
            let Some(refused) = refused else { panic!("{name} of the twin was taken") };
            assert!(matches!(refused, OpenError::Foreign { .. }), "{name}: {refused:?}");
            assert!(refused.to_string().contains("restore all of them together"), "{refused}");
        }
    }
}

#[test]
fn sectors_that_the_disk_cannot_read_cost_their_batch_and_the_process_lives() {
    let (disk, expected) = closed_store();
    let name = &written_segments(&disk)[1];
    let (offset, bytes) = batches(&disk, name)[2];
    let store = open(&disk);
    let bad = gesta::disk::Fault::FailRead { file: name.clone(), range: offset + 8..offset + bytes - 8 };
    disk.inject(bad.clone());
    let mut cursor = store.read(Read::all());
    let failed = loop {
        match cursor.next_record() {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("the bad sectors were read"),
        }
    };
    assert!(matches!(failed, ReadError::Io { .. } | ReadError::Damaged(_)), "{failed:?}");
    store.append(AppendRequest::new().event(event("a-1", "goes on"))).unwrap();
    drop(cursor);
    disk.clear_faults();
    assert_eq!(texts(store.read(Read::all())).unwrap().len(), expected.len() + 1);
    store.close().unwrap();
    disk.inject(bad);
    let verified = open(&disk).reader().verify(false, &mut |_, _| {});
    assert!(verified.damage[0].what.contains("read"), "{verified:?}");
}
