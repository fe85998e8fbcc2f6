//! Whatever stands where an index file should be, the answers of a store are those of a look at every event. Under checksums
//! that were made true, what is found is still an event of the log, and nothing panics.
#![no_main]

use gesta::disk::SimulatedDisk;
use gesta::{NameCount, NameKind, Query, Read, Reader, Store};
use gesta_fuzz::{append, files, mutations, options};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const EVENT_COUNT: u64 = 120;
const PAGE: usize = 4096;
/// Where the header page says where the checks stand, and what theirs is.
const CHECKS_OFFSET: usize = 168 + 6 * 16;
const CHECKS_CRC: usize = 312;
const QUERIES: [&str; 5] =
    ["tag=a:1", "tag=b:9", "stream=order-2", "type=Paid tag=a:2 | stream=user-1", "category=order"];
const KINDS: [NameKind; 4] = [NameKind::Stream, NameKind::Category, NameKind::Type, NameKind::Tag];

struct Whole {
    disk: SimulatedDisk,
    names: Vec<String>,
    expected: Vec<Vec<u64>>,
    listed: Vec<Vec<NameCount>>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).expect("a new store");
    append(&store, 0..EVENT_COUNT);
    let names = [files(&disk, ".sum"), files(&disk, ".idx")].concat();
    assert!(names.len() > 4 && names[0].ends_with(".sum"), "{names:?}");
    let reader = store.reader();
    let listed = KINDS.map(|kind| reader.names(kind, "").expect("a whole store")).to_vec();
    let scanned = |query: &Query| {
        let mut cursor = reader.read(Read::all());
        let mut positions = Vec::new();
        while let Some(record) = cursor.next_record() {
            let record = record.expect("a whole store");
            if query.matches(&record) {
                positions.push(record.position().0);
            }
        }
        positions
    };
    let expected = QUERIES.map(|text| scanned(&query(text))).to_vec();
    store.close().expect("a good disk");
    Whole { disk, names, expected, listed }
});

fuzz_target!(|input: &[u8]| {
    let Some(([which, flags], bytes)) = input.split_first_chunk::<2>() else { return };
    let whole = &*WHOLE;
    let name = &whole.names[usize::from(*which) % whole.names.len()];
    let disk = whole.disk.fork();
    let mut image = disk.image(name);
    if flags & 1 != 0 {
        image = bytes.to_vec();
    } else {
        mutations(bytes).for_each(|mutation| drop(mutation.apply(&mut image)));
    }
    let is_forged = flags & 2 != 0;
    if is_forged {
        forge(&mut image);
    }
    disk.restore(name, image);
    let reader = Reader::open_on(disk).expect("an index file is never in the way of an opening");
    check(&reader, whole, is_forged);
});

fn query(text: &str) -> Query {
    text.parse().expect("a good query")
}

fn check(reader: &Reader<SimulatedDisk>, whole: &Whole, is_forged: bool) {
    for (text, expected) in QUERIES.iter().zip(&whole.expected) {
        let query = query(text);
        for is_backward in [false, true] {
            let read = Read::query(query.clone());
            let mut cursor = reader.read(if is_backward { read.backwards() } else { read });
            let mut found = Vec::new();
            while let Some(record) = cursor.next_record() {
                match record {
                    Ok(record) => {
                        assert!(query.matches(&record), "{text} finds what it does not ask for");
                        found.push(record.position().0);
                    }
                    Err(error) => assert!(is_forged, "{text}: {error}"),
                }
            }
            if is_backward {
                found.reverse();
            }
            assert!(is_forged || found == *expected, "{text}: {found:?} instead of {expected:?}");
        }
    }
    for (kind, listed) in KINDS.iter().zip(&whole.listed) {
        match reader.names(*kind, "") {
            Ok(found) => assert!(is_forged || found == *listed, "{kind:?}: {found:?} instead of {listed:?}"),
            Err(error) => assert!(is_forged, "{kind:?}: {error}"),
        }
    }
    let report = reader.verify_index(&mut |_, _| {});
    let doubted = report.damaged.iter().map(|(name, _)| name).chain(&report.missing).count();
    assert_eq!(report.whole + doubted as u64, whole.names.len() as u64, "{report:?}");
}

/// Makes the checks of all blocks true, as far as the header page says where they stand, and its own.
fn forge(image: &mut [u8]) {
    if image.len() < PAGE {
        return;
    }
    let said = u64::from_le_bytes(*image[CHECKS_OFFSET..].first_chunk().expect("within the page"));
    if let Some(checks) = usize::try_from(said).ok().filter(|checks| (PAGE..image.len()).contains(checks)) {
        let (blocks, crcs) = image.split_at_mut(checks);
        for (block, crc) in blocks[PAGE..].chunks_exact(PAGE).zip(crcs.chunks_exact_mut(4)) {
            crc.copy_from_slice(&crc32fast::hash(block).to_le_bytes());
        }
        let crc = crc32fast::hash(crcs);
        image[CHECKS_CRC..CHECKS_CRC + 4].copy_from_slice(&crc.to_le_bytes());
    }
    let crc = crc32fast::hash(&image[..PAGE - 4]);
    image[PAGE - 4..PAGE].copy_from_slice(&crc.to_le_bytes());
}
