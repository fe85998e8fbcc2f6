//! Whatever stands where index files should be, the answers are those of the log, and what cannot be believed is made anew.

use crate::support::small_options;
use crate::vocabulary::EventDraft;
use gesta::disk::{CrashPlan, Fault, SimulatedDisk};
use gesta::environment::{Clock, Entropy, Environment};
use gesta::{
    AppendRequest, Durability, NameCount, NameKind, Options, Position, Query, QueryItem, Read, Reader, Store,
    StreamName, Tag, Timestamp, Upkeep,
};

/// The header page of an index file, and where it keeps what these tests forge.
const PAGE: usize = 4096;
const VERSION: usize = 12;
const CRC: usize = PAGE - 4;
/// Where it says where the checks of the blocks stand, and what theirs is.
const CHECKS: usize = 168 + 6 * 16;
const CHECKS_CRC: usize = 312;
const SUMMARY: &str = "0000000001-0000000008.sum";

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_000)
    }
}

/// The store's only secret.
struct Always(u8);

impl Entropy for Always {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn open_with(disk: &SimulatedDisk, secret: u8) -> Store<SimulatedDisk> {
    let options =
        Options { segment_bytes_max: 8192, environment: Environment::new(Still, Always(secret)), ..small_options() };
    Store::open_on(disk.clone(), options).unwrap()
}

fn open(disk: &SimulatedDisk) -> Store<SimulatedDisk> {
    open_with(disk, 7)
}

/// An event of several streams, types and tags; two fill a segment.
fn draft(number: u64) -> EventDraft {
    let choose = |names: [&'static str; 3], shift: u64| names[usize::try_from((number + shift) % 3).unwrap()];
    EventDraft {
        stream: Some(choose(["order-1", "order-2", "user-1"], 0)),
        event_type: choose(["Placed", "Paid", "Closed"], number / 3),
        tags: vec![choose(["a:1", "a:2", "b:1"], number / 9)],
        size: 1500,
    }
}

fn append(store: &Store<SimulatedDisk>, number: u64) -> Option<Position> {
    let request = AppendRequest::new().event(draft(number).event(number)).durability(Durability::Durable);
    store.append(request).ok().map(|receipt| receipt.positions.start)
}

fn index_files(disk: &SimulatedDisk) -> Vec<String> {
    let mut names = disk.file_names();
    names.retain(|name| name.ends_with(".idx") || name.ends_with(".sum"));
    names.sort();
    names
}

/// A store under a secret with eight index files and their summary, and two more.
fn indexed(secret: u8) -> SimulatedDisk {
    let disk = SimulatedDisk::new(1);
    let store = open_with(&disk, secret);
    let mut numbers = 0..;
    while index_files(&disk).len() < 11 {
        append(&store, numbers.next().unwrap()).unwrap();
    }
    store.close().unwrap();
    assert!(index_files(&disk).contains(&SUMMARY.to_owned()));
    disk
}

/// Everything that the index is asked for.
#[derive(Debug, PartialEq)]
struct Answers {
    found: Vec<(String, Vec<Position>)>,
    names: Vec<Vec<NameCount>>,
}

/// The answers of a reader, each of which is also what a look at every event finds.
fn answers(reader: &Reader<SimulatedDisk>) -> Answers {
    let tag = |text: &str| QueryItem::new().tag(Tag::new(text).unwrap());
    let stream = |name: &str| QueryItem::new().stream(StreamName::new(name).unwrap());
    let items = [tag("a:1"), tag("b:1").tag(Tag::new("a:2").unwrap()), tag("b:9"), stream("order-2"), stream("none")];
    let mut queries = items.clone().map(Query::from).to_vec();
    queries.push(Query::new(items).unwrap());
    let positions = |read: Read, query: &Query| {
        let mut cursor = reader.read(read);
        let mut positions = Vec::new();
        while let Some(record) = cursor.next_record() {
            let record = record.unwrap();
            if query.matches(&record) {
                positions.push(record.position());
            }
        }
        positions
    };
    let found = queries.iter().map(|query| {
        let scanned = positions(Read::all(), query);
        assert_eq!(positions(Read::query(query.clone()), query), scanned, "{query}");
        let mut backward = positions(Read::query(query.clone()).backwards(), query);
        backward.reverse();
        assert_eq!(backward, scanned, "{query}");
        (query.to_string(), scanned)
    });
    let kinds = [NameKind::Stream, NameKind::Category, NameKind::Type, NameKind::Tag];
    Answers { found: found.collect(), names: kinds.map(|kind| reader.names(kind, "").unwrap()).to_vec() }
}

/// The same answers from a writer and from a reader beside it; then the log grows until a segment is sealed, and what could
/// not be believed has been made anew.
fn check_goes_on(disk: &SimulatedDisk, expected: &Answers, what: &str) {
    let store = open(disk);
    assert!(!store.recovery().is_degraded, "{what}");
    assert_eq!(&answers(&store.reader()), expected, "{what}");
    assert_eq!(&answers(&Reader::open_on(disk.clone()).unwrap()), expected, "beside the writer: {what}");
    let mut next = store.reader().head().0;
    let last_segment = |disk: &SimulatedDisk| index_files(disk).into_iter().rfind(|name| name.ends_with(".idx"));
    let before = last_segment(disk);
    while last_segment(disk) == before {
        assert_eq!(append(&store, next), Some(Position(next)), "{what}");
        next += 1;
    }
    let report = store.reader().verify_index(&mut |_, _| {});
    assert!(report.damaged.is_empty() && report.missing.is_empty(), "{what}: {report:?}");
    assert_eq!(report.whole, index_files(disk).len() as u64, "{what}");
    answers(&store.reader());
    store.close().unwrap();
}

/// Forges the header page, with a right checksum.
fn forged(image: &[u8], place: usize, value: u8) -> Vec<u8> {
    let mut image = image.to_vec();
    image[place] = value;
    let crc = crc32fast::hash(&image[..CRC]);
    image[CRC..PAGE].copy_from_slice(&crc.to_le_bytes());
    image
}

/// Fills four bytes of a block with ones, with right checksums.
fn forged_in_a_block(image: &[u8], place: usize) -> Vec<u8> {
    let mut image = image.to_vec();
    image[place..place + 4].fill(0xff);
    let checks = usize::try_from(u64::from_le_bytes(*image[CHECKS..].first_chunk().unwrap())).unwrap();
    let (blocks, crcs) = image.split_at_mut(checks);
    for (block, crc) in blocks[PAGE..].chunks_exact(PAGE).zip(crcs.chunks_exact_mut(4)) {
        crc.copy_from_slice(&crc32fast::hash(block).to_le_bytes());
    }
    let crc = crc32fast::hash(crcs);
    image[CHECKS_CRC..CHECKS_CRC + 4].copy_from_slice(&crc.to_le_bytes());
    forged(&image, VERSION, image[VERSION])
}

type Spoil<'a> = &'a dyn Fn(&SimulatedDisk, &str);

/// What may have become of an index file so that its first page already tells.
fn for_each_loss(other: &SimulatedDisk, mut check: impl FnMut(&str, Spoil<'_>)) {
    check("missing", &|disk, name| disk.delete(name));
    check("empty", &|disk, name| disk.truncate(name, 0));
    check("cut in its first page", &|disk, name| disk.truncate(name, 1000));
    check("cut by its last byte", &|disk, name| disk.truncate(name, disk.image(name).len() as u64 - 1));
    check("a byte too long", &|disk, name| disk.restore(name, [disk.image(name), vec![0]].concat()));
    check("all zeros", &|disk, name| disk.restore(name, vec![0; disk.image(name).len()]));
    check("a flipped bit in its first page", &|disk, name| disk.flip_bit(name, 57, 3));
    check("another store's", &|disk, name| disk.restore(name, other.image(name)));
    check("from the future", &|disk, name| disk.restore(name, forged(&disk.image(name), VERSION, 9)));
    check("of unknown features", &|disk, name| disk.restore(name, forged(&disk.image(name), 16, 1)));
    check("another segment's", &|disk, name| {
        let last = index_files(disk).into_iter().rfind(|last| last.ends_with(".idx")).unwrap();
        let from = if last == name { "0000000001-0000.idx" } else { last.as_str() };
        disk.restore(name, disk.image(from));
    });
}

#[test]
fn an_index_file_that_cannot_be_believed_is_ignored_and_made_anew() {
    let (disk, other) = (indexed(7), indexed(8));
    assert_eq!(index_files(&disk), index_files(&other), "the other store has the same files");
    let expected = answers(&open(&disk.fork()).reader());
    for_each_loss(&other, |what, spoil| {
        for name in index_files(&disk) {
            let disk = disk.fork();
            spoil(&disk, &name);
            let store = open(&disk);
            let report = store.reader().verify_index(&mut |_, _| {});
            assert_eq!(report.damaged, [], "{name} {what}");
            assert_eq!(report.missing, [name.as_str()], "{what}");
            drop(store);
            check_goes_on(&disk, &expected, &format!("{name} {what}"));
        }
        let disk = disk.fork();
        for name in index_files(&disk) {
            spoil(&disk, &name);
        }
        check_goes_on(&disk, &expected, &format!("all {what}"));
    });
}

/// Every so many bytes of a file, and as many of those that are not zeros: blocks are mostly zeros that fill them up.
fn sample(image: &[u8]) -> Vec<usize> {
    let places = (0..image.len()).step_by(1019);
    let filled: Vec<usize> = (0..image.len()).filter(|place| image[*place] != 0).collect();
    let step = filled.len().div_ceil(places.len());
    places.chain(filled.into_iter().step_by(step)).collect()
}

#[test]
pub(crate) fn a_flipped_bit_anywhere_in_an_index_file_changes_no_answer() {
    let disk = indexed(7);
    let expected = answers(&open(&disk.fork()).reader());
    for name in index_files(&disk) {
        let image = disk.image(&name);
        for place in sample(&image) {
            let disk = disk.fork();
            disk.flip_bit(&name, place as u64, u8::try_from(place % 8).unwrap());
            let store = open(&disk);
            let reader = store.reader();
            assert_eq!(answers(&reader), expected, "{name} at {place}");
            store.rebuild_index(&mut |_, _| {}).unwrap();
            assert_eq!(answers(&reader), expected, "{name} at {place}, made anew");
            drop(store);
            assert_eq!(disk.image(&name).len(), image.len(), "{name}");
            check_goes_on(&disk, &expected, &format!("{name} at {place}"));
        }
    }
}

/// Whoever can make the checks true can make a file say anything; where it says what cannot be, it is not believed.
#[test]
fn a_file_that_says_what_cannot_be_is_not_called_whole_though_its_checks_are_true() {
    let disk = indexed(7);
    let names = index_files(&disk);
    let mut disbelieved = 0;
    for name in &names {
        let image = disk.image(name);
        for place in (PAGE..image.len() - PAGE).step_by(68) {
            let disk = disk.fork();
            disk.restore(name, forged_in_a_block(&image, place));
            let reader = Reader::open_on(disk).unwrap();
            for tag in ["a:1", "a:2", "b:1", "b:9"] {
                let mut cursor = reader.read(Read::query(QueryItem::new().tag(Tag::new(tag).unwrap()).into()));
                while let Some(Ok(_)) = cursor.next_record() {}
            }
            let report = reader.verify_index(&mut |_, _| {});
            assert_eq!(report.damaged, [], "{name} at {place}");
            assert!(report.missing.iter().all(|missing| missing == name), "{name} at {place}: {report:?}");
            assert_eq!(report.whole, (names.len() - report.missing.len()) as u64, "{name} at {place}: {report:?}");
            disbelieved += report.missing.len();
        }
    }
    assert!(disbelieved > 0, "nothing was said that cannot be");
}

/// Lets the power fail at each call that `act` makes, and looks at what is left. Returns at how many.
fn cut_at_every_call(
    ready: &dyn Fn() -> (SimulatedDisk, Store<SimulatedDisk>),
    act: &dyn Fn(&Store<SimulatedDisk>),
) -> u64 {
    for call in 1.. {
        for seed in 0..3 {
            let (disk, store) = ready();
            let (before, calls) = (store.reader().head(), disk.calls());
            disk.inject(Fault::PowerFailsAt { call });
            act(&store);
            let is_over = disk.calls() - calls < call;
            disk.power_cut(&CrashPlan::random(call * 10 + seed));
            disk.clear_faults();
            drop(store);
            let store = open(&disk);
            assert!(store.reader().head() >= before && !store.recovery().is_degraded, "call {call}");
            // A file is there as a whole or not at all.
            let report = store.reader().verify_index(&mut |_, _| {});
            assert_eq!(report.damaged, [], "call {call}");
            let expected = answers(&store.reader());
            drop(store);
            check_goes_on(&disk, &expected, &format!("the power failed at call {call}"));
            if is_over {
                assert!(report.missing.is_empty(), "call {call}: {report:?}");
                return call - 1;
            }
        }
    }
    unreachable!("it makes no more calls at some time")
}

/// A store closed right after a segment was sealed, whoever writes its index file.
#[test]
fn a_clean_close_leaves_no_sealed_segment_without_its_index_file() {
    let mut sealed = 0;
    for (upkeep, count) in
        [Upkeep::Inline, Upkeep::Threads].into_iter().flat_map(|upkeep| (1..20).map(move |count| (upkeep, count)))
    {
        let disk = SimulatedDisk::new(1);
        let options = Options { segment_bytes_max: 8192, upkeep, ..small_options() };
        let store = Store::open_on(disk.clone(), options).unwrap();
        (0..count).for_each(|number| assert!(append(&store, number).is_some()));
        let last = AppendRequest::new().event(draft(count).event(count)).durability(Durability::Buffered);
        drop(store.submit(last).unwrap());
        store.close().unwrap();
        let report = open(&disk).reader().verify_index(&mut |_, _| {});
        assert_eq!(report.missing, [""; 0], "{upkeep:?}, {count} events");
        sealed += report.whole;
    }
    assert!(sealed > 100, "{sealed}");
}

#[test]
fn power_that_fails_at_any_call_while_an_index_file_and_a_summary_are_written_costs_no_answer() {
    // Runs up to the append that seals the eighth segment.
    let full = indexed_until(&|disk| index_files(disk).contains(&SUMMARY.to_owned()));
    let ready = || {
        let disk = SimulatedDisk::new(1);
        let store = open(&disk);
        (0..full - 1).for_each(|number| assert!(append(&store, number).is_some()));
        assert_eq!(index_files(&disk).len(), 7);
        (disk, store)
    };
    let calls = cut_at_every_call(&ready, &|store| {
        append(store, full - 1);
    });
    assert!(calls > 15, "{calls}");
}

/// How many appends it takes.
fn indexed_until(is_enough: &dyn Fn(&SimulatedDisk) -> bool) -> u64 {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let mut count = 0;
    while !is_enough(&disk) {
        append(&store, count).unwrap();
        count += 1;
    }
    count
}

#[test]
fn power_that_fails_at_any_call_while_the_index_is_rebuilt_costs_no_answer() {
    let start = indexed(7);
    let ready = || {
        let disk = start.fork();
        let store = open(&disk);
        (disk, store)
    };
    let calls = cut_at_every_call(&ready, &|store| {
        // It fails when the power does.
        let _ = store.rebuild_index(&mut |_, _| {});
    });
    assert!(calls > 50, "{calls}");
}
