//! Any bytes may stand at the end of a log that was not closed: opening it keeps every batch before them, finds the same a
//! second time, and gives every reader the same; batches forged under the store's own secret are no exception.
#![no_main]

use gesta::codec::{BatchHeader, HEADERS_BYTES};
use gesta::disk::{CrashPlan, Keep, SimulatedDisk};
use gesta::{AppendError, AppendRequest, Event, EventType, OpenError, Position, Read, Reader, Store};
use gesta_fuzz::{KEY, Stands, append, batches, files, options, read_over_damage, repair_batch_at};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const EVENT_COUNT: u64 = 28;

/// One that lost its power with everything on the device.
static CRASHED: LazyLock<(SimulatedDisk, Vec<Stands>)> = LazyLock::new(|| {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).expect("a new store");
    append(&store, 0..EVENT_COUNT);
    disk.power_cut(&CrashPlan { keep: Keep::All, ..CrashPlan::random(1) });
    drop(store);
    let batches = batches(&disk);
    (disk, batches)
});

fuzz_target!(|input: &[u8]| {
    let Some(([which, flags], bytes)) = input.split_first_chunk::<2>() else { return };
    let (crashed, batches) = &*CRASHED;
    let tail = &batches.last().expect("there are some").name;
    let of_tail: Vec<_> = batches.iter().filter(|batch| batch.name == *tail).collect();
    let first = &of_tail[usize::from(*which) % of_tail.len()];
    let is_forged = flags & 2 != 0;
    let disk = crashed.fork();
    let mut image = disk.image(tail);
    let room = &mut image[first.bytes.start..];
    let length = bytes.len().min(room.len());
    room[..length].copy_from_slice(&bytes[..length]);
    if flags & 1 != 0 {
        room[length..].fill(0);
    }
    if is_forged {
        forge(&mut image, first, flags & 4 != 0, length);
    }
    disk.restore(tail, image);
    let is_left = |batch: &&&Stands| flags & 3 == 0 && batch.bytes.start >= first.bytes.start + length;
    let left = of_tail.iter().find(is_left).map(|batch| batch.positions.start);
    check(&disk, first.positions.start, left, is_forged);
});

/// Makes what stands there batches of this store, one after another, which continue the log when `is_chained`.
fn forge(image: &mut [u8], first: &Stands, is_chained: bool, length: usize) {
    let (mut at, mut base, end) = (first.bytes.start, first.positions.start, first.bytes.start + length);
    let mut previous = original_previous(first);
    while at + HEADERS_BYTES <= end {
        let chain = is_chained.then_some((previous, base));
        let Some((header, check)) = repair_batch_at(&mut image[at..], chain) else { return };
        (at, base, previous) = (at + header.bytes(), header.end(), check);
    }
}

fn original_previous(first: &Stands) -> u64 {
    let image = CRASHED.0.image(&first.name);
    let headers = image[first.bytes.start..].first_chunk().expect("a batch stands there");
    BatchHeader::decode(headers, &KEY).expect("a good batch").0.previous
}

/// What can be read of a store: each position with the bytes of its data, and what cannot be.
fn seen(reader: &Reader<SimulatedDisk>) -> (Vec<(u64, Vec<u8>)>, Vec<String>) {
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    let mut cursor = reader.read(Read::all());
    while let Some(record) = cursor.next_record() {
        match record {
            Ok(record) => found.push((record.position().0, record.data().bytes().to_vec())),
            Err(error) => failed.push(error.to_string()),
        }
    }
    assert!(found.is_sorted_by(|one, other| one.0 < other.0), "positions ascend");
    (found, failed)
}

/// Everything before `intact` must be kept; when what begins at `left` is cut, events are gone that had been durable.
fn check(disk: &SimulatedDisk, intact: Position, left: Option<Position>, is_forged: bool) {
    let tail = files(disk, ".log");
    let images = || tail.iter().map(|name| disk.image(name)).collect::<Vec<_>>();
    let before = images();
    let Some(store) = opened(disk) else { return };
    let kept = read_over_damage(&store.reader(), intact.0).0;
    assert!(kept.into_iter().take_while(|position| *position < intact.0).eq(0..intact.0), "every batch before is kept");
    let first = seen(&store.reader());
    let beside = Reader::open_on(disk.clone()).expect("what a writer opens, a reader does");
    assert_eq!(seen(&beside).0, first.0, "a reader beside the writer");
    let is_degraded = store.recovery().is_degraded;
    let is_found = |left: Position| first.0.iter().any(|(position, _)| *position == left.0);
    assert!(is_degraded || left.is_none_or(is_found), "durable events were cut: {:?}", store.recovery());
    let ours = Event::new(EventType::new("Ours").expect("a good type")).data(*b"ours");
    let appended = store.append(AppendRequest::new().event(ours));
    if is_degraded {
        assert!(matches!(appended, Err(AppendError::Degraded { .. })), "{appended:?}");
        drop(store);
        // What is forged may be found out only after the end of the log was made ready to be written.
        assert!(is_forged || before == images(), "a degraded store is not changed");
        let again = opened(disk).expect("it was opened before");
        assert_eq!(seen(&again.reader()), first, "opened again");
        return;
    }
    assert!(is_forged || first.1.is_empty(), "a store that goes on reads whole: {:?}", first.1);
    let Ok(receipt) = appended else { return };
    drop(store);
    let again = opened(disk).expect("it was opened before");
    let (mut after, _) = seen(&again.reader());
    assert_eq!(after.pop(), Some((receipt.positions.start.0, b"ours".to_vec())), "what was appended is there");
    assert_eq!(after, first.0, "opened again");
}

fn opened(disk: &SimulatedDisk) -> Option<Store<SimulatedDisk>> {
    match Store::open_on(disk.clone(), options()) {
        Ok(store) => Some(store),
        Err(OpenError::Foreign { .. } | OpenError::Unsupported { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}
