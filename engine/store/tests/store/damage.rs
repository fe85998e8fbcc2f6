//! Damage: a flipped bit anywhere never yields a wrong event, and costs at most one batch.

use crate::misplaced::{batches, written_segments};
use crate::support::{open, request, small_options, stream, texts};
use gesta::codec::{BatchHeader, HEADERS_BYTES, REQUEST_HEADER_BYTES, StoreKey, body_crc};
use gesta::disk::{CrashPlan, Fault, SimulatedDisk};
use gesta::{AppendError, Durability, OpenError, Read, ReadError, Reader, Store, truncate_after};
use gesta::{Position, TruncateError};

/// Appends 80 batches of two events each, which fill some segments; what they hold.
pub(crate) fn fill(store: &Store<SimulatedDisk>) -> Vec<String> {
    let mut expected = Vec::new();
    for number in 0..80 {
        let data = [format!("first of {number}"), format!("second of {number}")];
        store.append(request("a-1", &[&data[0], &data[1]], Durability::Durable)).unwrap();
        expected.extend(data);
    }
    expected
}

/// A store of some segments, closed cleanly: 80 batches of two events each.
pub(crate) fn closed_store() -> (SimulatedDisk, Vec<String>) {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    let expected = fill(&store);
    store.close().unwrap();
    (disk, expected)
}

/// Reads everything over damage: what can be read, with its position, and how many positions are lost.
pub(crate) fn read_over_damage(reader: &Reader<SimulatedDisk>) -> (Vec<(u64, String)>, u64) {
    let (mut found, mut lost) = (Vec::new(), 0);
    let mut cursor = reader.read(Read::all());
    while let Some(record) = cursor.next_record() {
        match record {
            Ok(record) => {
                found.push((record.position().0, String::from_utf8_lossy(record.data().bytes()).into_owned()));
            }
            Err(ReadError::Damaged(damage)) => lost += damage.positions.end.since(damage.positions.start),
            Err(error) => panic!("{error}"),
        }
    }
    (found, lost)
}

/// A bit flips: no wrong event is read, nothing is missing silently, and no more than one batch is lost.
pub(crate) fn check_flip(disk: &SimulatedDisk, expected: &[String], name: &str, offset: u64, bit: u8) {
    let disk = disk.fork();
    disk.flip_bit(name, offset, bit);
    let at = format!("{name} byte {offset} bit {bit}");
    let store = match Store::open_on(disk, small_options()) {
        Ok(store) => store,
        // A refusal with a reason loses nothing.
        Err(OpenError::ManifestDamaged { .. } | OpenError::Foreign { .. } | OpenError::Unsupported { .. }) => return,
        Err(error) => panic!("{at}: {error}"),
    };
    let (found, lost) = read_over_damage(&store.reader());
    for (position, data) in &found {
        assert_eq!(*data, expected[usize::try_from(*position).unwrap()], "{at}: a wrong event");
    }
    assert_eq!(found.len() as u64 + lost, expected.len() as u64, "{at}: silently shorter: {:?}", store.recovery());
    assert!(lost <= 2, "{at}: {lost} events are lost, more than one batch");
    if lost > 0 {
        let verified = store.reader().verify(false, &mut |_, _| {});
        assert!(verified.damage.iter().any(|damage| !damage.positions.is_empty()), "{at}: {verified:?}");
    }
    if store.recovery().is_degraded {
        let refused = store.append(request("a-1", &["x"], Durability::Durable));
        assert!(matches!(refused, Err(AppendError::Degraded { .. })), "{at}: {refused:?}");
    }
}

#[test]
pub(crate) fn no_flipped_bit_yields_a_wrong_event_or_costs_more_than_a_batch() {
    let (disk, expected) = closed_store();
    // All of them with GESTA_ALL_BITS; otherwise a sample that visits every part.
    let step = if std::env::var_os("GESTA_ALL_BITS").is_some() { 1 } else { 13 };
    let mut flips = 0;
    for name in disk.file_names() {
        let bits = disk.image(&name).len() * 8;
        for bit in (0..bits).step_by(step) {
            check_flip(&disk, &expected, &name, (bit / 8) as u64, u8::try_from(bit % 8).unwrap());
            flips += 1;
        }
    }
    println!("{flips} flipped bits, 0 wrong events");
    assert!(flips > 1_000, "{flips}");
}

#[test]
pub(crate) fn damage_in_the_last_acknowledged_group_is_corruption_once_a_mark_followed() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    store.append(request("a-1", &["two"], Durability::Durable)).unwrap();
    store.mark();
    store.append(request("a-1", &["three"], Durability::Written)).unwrap();
    disk.power_cut(&CrashPlan { keep: gesta::disk::Keep::All, ..CrashPlan::random(1) });
    drop(store);
    let name = "0000000001-0000.log";
    let image = disk.image(name);
    let offset = image.windows(3).position(|bytes| bytes == b"two").unwrap();
    disk.flip_bit(name, offset as u64, 0);
    let before = disk.image(name);
    let store = open(&disk);
    assert!(store.recovery().is_degraded);
    assert_eq!(store.recovery().damage[0].positions, Position(1)..Position(2));
    assert!(matches!(store.append(request("a-1", &["x"], Durability::Durable)), Err(AppendError::Degraded { .. })));
    drop(store);
    assert_eq!(disk.image(name), before, "a degraded store is not changed");
}

#[test]
fn a_payload_that_looks_like_a_batch_is_a_payload() {
    let (disk, _) = closed_store();
    let image = disk.image("0000000001-0000.log");
    let forged: Vec<u8> = image[4096..4096 + 400].to_vec();
    let other = SimulatedDisk::new(4);
    let store = open(&other);
    let event = gesta::Event::new(gesta::EventType::new("Forged").unwrap()).data(forged);
    store.append(gesta::AppendRequest::new().event(event)).unwrap();
    store.append(request("a-1", &["torn"], Durability::Written)).unwrap();
    other.power_cut(&CrashPlan { keep: gesta::disk::Keep::None, ..CrashPlan::random(1) });
    drop(store);
    let store = open(&other);
    assert!(!store.recovery().is_degraded);
    assert_eq!(store.reader().head(), Position(1));
}

#[test]
fn a_missing_segment_is_named_and_the_rest_can_be_read() {
    let (disk, expected) = closed_store();
    let segments: Vec<String> = disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect();
    assert!(segments.len() >= 3, "{segments:?}");
    for missing in &segments[..segments.len() - 1] {
        let disk = disk.fork();
        disk.delete(missing);
        let store = open(&disk);
        assert!(store.recovery().is_degraded, "{missing}");
        let (found, lost) = read_over_damage(&store.reader());
        assert_eq!(found.len() as u64 + lost, expected.len() as u64, "{missing}");
        assert!(lost > 0);
    }
}

#[test]
fn a_shortened_segment_is_damage_and_is_not_cut_further() {
    let (disk, expected) = closed_store();
    disk.truncate("0000000001-0000.log", 5000);
    let store = open(&disk);
    assert!(store.recovery().is_degraded);
    let (found, lost) = read_over_damage(&store.reader());
    assert_eq!(found.len() as u64 + lost, expected.len() as u64);
}

#[test]
fn an_old_copy_of_a_segment_is_noticed() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    let old = disk.image("0000000001-0000.log");
    store.append(request("a-1", &["two"], Durability::Durable)).unwrap();
    store.close().unwrap();
    drop(open(&disk));
    disk.restore("0000000001-0000.log", old);
    let store = open(&disk);
    assert!(store.recovery().is_degraded, "{:?}", store.recovery());
}

#[test]
fn a_foreign_directory_and_a_lost_manifest_are_refused_untouched() {
    let disk = SimulatedDisk::new(3);
    disk.restore("PG_VERSION", b"15".to_vec());
    let refused = Store::open_on(disk.clone(), small_options());
    assert!(matches!(refused, Err(OpenError::NotAStore { .. })));
    assert_eq!(disk.file_names(), ["PG_VERSION"]);

    let (disk, _) = closed_store();
    disk.delete("manifest");
    assert!(!open(&disk.fork()).recovery().is_degraded, "one copy is enough");
    disk.flip_bit("manifest.copy", 60, 1);
    assert!(matches!(Store::open_on(disk, small_options()), Err(OpenError::ManifestDamaged { .. })));
}

#[test]
fn a_truncation_voids_the_end_for_good_even_when_it_is_interrupted() {
    let (disk, expected) = closed_store();
    for call in 1..80 {
        let disk = disk.fork();
        disk.inject(Fault::PowerFailsAt { call });
        let outcome = truncate_after(&disk, Position(10));
        disk.power_cut(&CrashPlan::random(call));
        disk.clear_faults();
        let store = open(&disk);
        assert!(!store.recovery().is_degraded, "call {call}: {:?}", store.recovery());
        let head = usize::try_from(store.reader().head().0).unwrap();
        assert!(head == 10 || (outcome.is_err() && head == expected.len()), "call {call}: {head}");
        assert_eq!(texts(store.read(Read::all())).unwrap(), expected[..head], "call {call}");
        store.append(request("a-1", &["after"], Durability::Durable)).unwrap();
        store.close().unwrap();
        assert_eq!(texts(open(&disk).read(Read::all())).unwrap().last().unwrap(), "after");
    }
    assert!(matches!(truncate_after(&disk, Position(11)), Err(TruncateError::InsideABatch { .. })));
    assert!(matches!(truncate_after(&disk, Position(1000)), Err(TruncateError::NotReached { .. })));
}

#[test]
fn a_full_disk_refuses_in_time_and_takes_appends_again_when_there_is_room() {
    let disk = SimulatedDisk::new(3);
    disk.set_capacity(Some(60_000));
    let store = open(&disk);
    let mut count = 0_u64;
    let full = loop {
        match store.append(request("a-1", &[&"x".repeat(500)], Durability::Durable)) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::StorageFull { .. }), "{full}");
    assert_eq!(texts(store.read(Read::all())).unwrap().len() as u64, count);
    disk.set_capacity(None);
    store.append(request("a-1", &["room again"], Durability::Durable)).unwrap();
    store.close().unwrap();
    assert_eq!(open(&disk).reader().head(), Position(count + 1));
}

/// A reader beside the writer once took a lost segment for the end of the log: a store whose only segment was gone read as
/// empty, and `verify` called it whole. The manifest knows how far the log reached when it was opened last.
#[test]
fn a_reader_beside_the_writer_misses_what_a_lost_segment_held() {
    let (disk, expected) = closed_store();
    // An opening states in the manifest what the log holds.
    open(&disk).close().unwrap();
    let segments: Vec<String> = disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect();
    for missing in &segments {
        let disk = disk.fork();
        let held_events = disk.image(missing).iter().any(|byte| *byte != 0);
        disk.delete(missing);
        let reader = Reader::open_on(disk).unwrap();
        let (found, lost) = read_over_damage(&reader);
        assert_eq!(found.len() as u64 + lost, expected.len() as u64, "{missing}");
        assert_eq!(lost > 0, held_events, "{missing}");
        assert_eq!(reader.verify(true, &mut |_, _| {}).damage.is_empty(), !held_events, "{missing}");
    }
    for missing in &segments {
        disk.delete(missing);
    }
    let (found, lost) = read_over_damage(&Reader::open_on(disk).unwrap());
    assert_eq!((found.len(), lost), (0, expected.len() as u64));
}

/// The read of a stream once began at the first event that could be read, and said nothing of those before it.
#[test]
fn a_stream_is_not_silently_shorter_by_damage_at_its_ends() {
    let (disk, expected) = closed_store();
    for data in ["first of 0", "second of 40", "second of 79"] {
        let disk = disk.fork();
        let is_hit = |name: &String| disk.image(name).windows(data.len()).any(|bytes| bytes == data.as_bytes());
        let name = disk.file_names().into_iter().find(is_hit).unwrap();
        let offset = disk.image(&name).windows(data.len()).position(|bytes| bytes == data.as_bytes()).unwrap();
        disk.flip_bit(&name, offset as u64, 0);
        for reader in [Reader::open_on(disk.fork()).unwrap(), open(&disk).reader()] {
            for read in [Read::stream(stream("a-1")), Read::stream(stream("a-1")).backwards()] {
                let (mut found, mut lost) = (0, 0);
                let mut cursor = reader.read(read);
                while let Some(record) = cursor.next_record() {
                    match record {
                        Ok(_) => found += 1,
                        Err(ReadError::Damaged(damage)) => {
                            lost += damage.positions.end.since(damage.positions.start);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                assert_eq!(found + lost, expected.len() as u64, "{data}");
                assert!((1..=2).contains(&lost), "{data}: {lost} events of one batch");
            }
        }
    }
}

#[test]
fn segments_without_a_manifest_are_a_damaged_store_and_not_a_missing_one() {
    let (disk, _) = closed_store();
    disk.delete("manifest");
    disk.delete("manifest.copy");
    assert!(matches!(Reader::open_on(disk.fork()), Err(OpenError::ManifestDamaged { .. })));
    disk.restore("notes.txt", b"about this store".to_vec());
    assert!(matches!(Reader::open_on(disk.fork()), Err(OpenError::ManifestDamaged { .. })));
    assert!(matches!(Store::open_on(disk, small_options()), Err(OpenError::ManifestDamaged { .. })));
}

/// What was appended since the last opening is in no manifest: a reader can tell that it is gone, not how much of it.
#[test]
fn a_lost_end_of_unknown_length_is_told_once() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    for number in 0..80 {
        store.append(request("a-1", &[&format!("event {number}"), "x"], Durability::Durable)).unwrap();
    }
    disk.power_cut(&CrashPlan { keep: gesta::disk::Keep::All, ..CrashPlan::random(1) });
    drop(store);
    let segments: Vec<String> = disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect();
    // The first segment was sealed, so that there must be another one.
    for lost in &segments[1..] {
        disk.delete(lost);
    }
    let reader = Reader::open_on(disk).unwrap();
    for read in [Read::all(), Read::all().backwards(), Read::stream(stream("a-1")), Read::stream(stream("b-1"))] {
        let (mut told, mut cursor) = (0, reader.read(read));
        while let Some(record) = cursor.next_record() {
            told += u64::from(matches!(record, Err(ReadError::Damaged(_))));
        }
        assert_eq!(told, 1);
    }
    let report = reader.verify(false, &mut |_, _| {});
    assert_eq!(report.damage.len(), 1, "{report:?}");
    assert!(report.damage[0].what.starts_with("the segment file with number 2 is missing"), "{report:?}");
}

#[test]
fn a_store_without_events_misses_nothing() {
    let disk = SimulatedDisk::new(3);
    open(&disk).close().unwrap();
    let reader = Reader::open_on(disk).unwrap();
    assert_eq!(reader.verify(true, &mut |_, _| {}).damage, []);
    assert!(reader.read(Read::all()).next_record().is_none());
}

// One unreadable byte made every batch unreadable that stands within a mebibyte before it.
#[test]
fn a_bad_sector_costs_only_the_batch_it_is_in() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    for number in 0..40 {
        store.append(request("a-1", &[&format!("event {number}")], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    let name = "0000000001-0000.log";
    let image = disk.image(name);
    let at = image.windows(8).position(|bytes| bytes == b"event 10").unwrap() as u64;
    disk.inject(Fault::FailRead { file: name.to_owned(), range: at..at + 1 });
    let verified = open(&disk).reader().verify(false, &mut |_, _| {});
    let lost: Vec<_> = verified.damage.iter().map(|damage| damage.positions.clone()).collect();
    assert_eq!(lost, [Position(10)..Position(11)]);
}

// When the last segment could not be read at its start, nothing of the segments before it was shown either.
#[test]
fn a_degraded_end_does_not_hide_the_segments_before_it() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    let mut count = 0;
    let last = loop {
        store.append(request("a-1", &[&"x".repeat(1000)], Durability::Durable)).unwrap();
        count += 1;
        if disk.file_names().iter().any(|name| name.starts_with("0000000002")) {
            break "0000000002-0000.log".to_owned();
        }
    };
    drop(store.close());
    disk.inject(Fault::FailRead { file: last, range: 4096..4097 });
    let store = open(&disk);
    assert!(store.recovery().is_degraded);
    assert!(store.reader().head() >= Position(count - 1), "{:?}", store.reader().head());
}

/// Spoils the first record of the last batch with events in a way that all checksums, and the chain from there on, vouch
/// for.
fn forge_last_batch(disk: &SimulatedDisk) {
    let key = StoreKey(disk.image("manifest")[56..72].try_into().unwrap());
    let name = written_segments(disk).pop().unwrap();
    let image = disk.image(&name);
    let first = usize::try_from(batches(disk, &name).pop().unwrap().0).unwrap();
    let mut offset = first;
    let mut chain = None;
    while let Ok((mut header, _)) = BatchHeader::decode(image[offset..].first_chunk().unwrap(), &key) {
        let mut batch = image[offset..offset + header.bytes()].to_vec();
        if offset == first {
            // The length of the name of the record's type.
            let type_len = HEADERS_BYTES + REQUEST_HEADER_BYTES + 50;
            batch[type_len..type_len + 2].fill(0);
            header.body_crc = body_crc(&batch[HEADERS_BYTES..]);
        }
        header.previous = chain.unwrap_or(header.previous);
        chain = Some(header.encode(&key, batch.first_chunk_mut().unwrap()));
        disk.overwrite(&name, offset as u64, &batch);
        offset += header.bytes();
    }
}

// A record that does not decode under checksums that are right was told as damage again and again, and a read that goes on
// over damage never ended.
#[test]
fn a_record_that_its_checksums_wrongly_vouch_for_is_told_once() {
    let (disk, expected) = closed_store();
    forge_last_batch(&disk);
    let reader = Reader::open_on(disk).unwrap();
    for read in [Read::all(), Read::all().backwards()] {
        let (mut count, mut damage) = (0, Vec::new());
        let mut cursor = reader.read(read);
        while let Some(record) = cursor.next_record() {
            match record {
                Ok(_) => count += 1,
                Err(ReadError::Damaged(found)) => damage.push(found.positions),
                Err(error) => panic!("{error}"),
            }
            assert!(count + damage.len() <= expected.len(), "{damage:?}");
        }
        assert_eq!(damage.len(), 1);
        let lost = damage[0].end.since(damage[0].start);
        assert_eq!(count as u64 + lost, expected.len() as u64, "{damage:?}");
    }
}
