//! Whatever happens to the segments of a store: no wrong event is read, every event outside the damage is, and what is gone
//! is named. A store that cannot go on is not changed.
#![no_main]

use gesta::disk::SimulatedDisk;
use gesta::{AppendError, AppendRequest, OpenError, Reader, Store};
use gesta_fuzz::{Stands, append, batches, event, files, mutations, options, read_over_damage};
use libfuzzer_sys::fuzz_target;
use std::ops::Range;
use std::sync::LazyLock;

const EVENT_COUNT: u64 = 60;
/// The copies of a segment's header: it is readable while one of them is.
const HEADERS: [Range<usize>; 2] = [0..128, 2048..2176];

static WHOLE: LazyLock<(SimulatedDisk, Vec<Stands>)> = LazyLock::new(|| {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).expect("a new store");
    append(&store, 0..EVENT_COUNT);
    store.close().expect("a good disk");
    let batches = batches(&disk);
    assert_eq!(batches.len() as u64 * 2, EVENT_COUNT);
    assert!(files(&disk, ".log").len() >= 3);
    (disk, batches)
});

fuzz_target!(|input: &[u8]| {
    let (whole, batches) = &*WHOLE;
    let disk = whole.fork();
    let names = files(&disk, ".log");
    let mut damage: Vec<(&str, Range<usize>)> = Vec::new();
    for mutation in mutations(input) {
        let name = &names[mutation.file % names.len()];
        let mut image = disk.image(name);
        damage.push((name, mutation.apply(&mut image)));
        disk.restore(name, image);
    }
    let is_hit = |name: &str, bytes: &Range<usize>| {
        damage.iter().any(|(at, range)| *at == name && range.start < bytes.end && bytes.start < range.end)
    };
    let is_kept = |batch: &&Stands| {
        !is_hit(&batch.name, &batch.bytes) && HEADERS.iter().any(|header| !is_hit(&batch.name, header))
    };
    check(&disk, &names, &batches.iter().filter(is_kept).collect::<Vec<_>>());
});

fn check(disk: &SimulatedDisk, names: &[String], kept: &[&Stands]) {
    let images = || names.iter().map(|name| disk.image(name)).collect::<Vec<_>>();
    let before = images();
    let store = match Store::open_on(disk.clone(), options()) {
        Ok(store) => store,
        Err(OpenError::Foreign { .. } | OpenError::Unsupported { .. } | OpenError::ManifestDamaged { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let (found, lost) = read_over_damage(&store.reader(), EVENT_COUNT);
    assert_eq!(found.len() as u64 + lost, EVENT_COUNT, "silently shorter: {:?}", store.recovery());
    for batch in kept {
        for position in batch.positions.start.0..batch.positions.end.0 {
            assert!(
                found.binary_search(&position).is_ok(),
                "{position} stands outside the damage: {:?}",
                store.recovery()
            );
        }
    }
    let beside = Reader::open_on(disk.clone()).expect("what a writer opens, a reader does");
    assert_eq!(read_over_damage(&beside, EVENT_COUNT), (found, lost), "a reader beside the writer");
    let verified = store.reader().verify(false, &mut |_, _| {});
    assert!(lost == 0 || verified.damage.iter().any(|damage| !damage.positions.is_empty()), "{verified:?}");
    if store.recovery().is_degraded {
        let refused = store.append(AppendRequest::new().event(event(EVENT_COUNT)));
        assert!(matches!(refused, Err(AppendError::Degraded { .. })), "{refused:?}");
        drop(store);
        assert!(before == images(), "a degraded store is not changed");
    }
}
