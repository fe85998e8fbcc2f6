//! Damaged, foreign, newer and hostile files are told from whole ones, and never panic.

use super::blocks::{BLOCK as PAGE, BLOCK_BYTES};
use super::bytes::{read_u32, read_u64, write_u32, write_u64};
use super::sample::{List, Sample, key};
use super::{Binding, IndexFile, Rejected, SummaryError, write_summary};
use crate::disk::{CrashPlan, Disk, Fault, SimulatedDisk};
use crate::index::key::Kind;
use crate::log::summary_name;
use gesta_model::{Position, Uuid};

/// Where the header page keeps the numbers that these tests forge.
const VERSION: usize = 12;
const INCOMPATIBLE: usize = 16;
const COMPATIBLE: usize = 32;
const FORM: usize = 76;
const BASE: usize = 96;
const KINDS: usize = 120;
const SECTIONS: usize = 168;
const CHECKS: usize = SECTIONS + 6 * 16;
const CHECKS_CRC: usize = 312;
const CRC: usize = PAGE - 4;

/// Everything that is asked of a file, if it opens; panics at a wrong answer.
fn is_found_whole(sample: &Sample, disk: &SimulatedDisk) -> bool {
    sample.open(disk).is_ok_and(|file| sample.compare(&file).is_ok())
}

/// Makes the checksums of a forged file right again.
fn reseal(bytes: &mut [u8]) {
    let checks = usize::try_from(read_u64(bytes, CHECKS)).unwrap();
    for block in 1..checks / PAGE {
        let crc = crc32fast::hash(&bytes[block * PAGE..(block + 1) * PAGE]);
        write_u32(bytes, checks + (block - 1) * 4, crc);
    }
    let crc = crc32fast::hash(&bytes[checks..]);
    write_u32(bytes, CHECKS_CRC, crc);
    reseal_header(bytes);
}

fn reseal_header(bytes: &mut [u8]) {
    let crc = crc32fast::hash(&bytes[..CRC]);
    write_u32(bytes, CRC, crc);
}

/// A disk with the sample's file after `forge`, its header page sealed again.
fn forged(sample: &Sample, forge: impl FnOnce(&mut Vec<u8>)) -> SimulatedDisk {
    let (disk, _) = sample.written();
    let mut bytes = disk.image(&sample.name());
    forge(&mut bytes);
    reseal_header(&mut bytes);
    disk.restore(&sample.name(), bytes);
    disk
}

#[test]
fn golden_bytes_of_a_header_page() {
    let sample = Sample::small();
    let (disk, _) = sample.written();
    let page = disk.image(&sample.name())[..PAGE].to_vec();
    let hex: String = page[..316].iter().map(|byte| format!("{byte:02x}")).collect();
    let golden = "89474944580d0a1a0d0c0b0a01000000000000000000000000000000000000000000000000000000\
                  0102030405060708090a0b0c0d0e0f10030000000000000003000000000000000000000001000000\
                  88887777666655554444333322221111e803000000000000f1030000000000001460000000000000\
                  02000000000000000000000000000000010000000000000001000000000000000000000000000000\
                  00000000000000000010000000000000e00000000000000000500000000000001800000000000000\
                  00600000000000000000000000000000002000000000000009000000000000000030000000000000\
                  24000000000000000040000000000000300000000000000000600000000000001400000000000000\
                  0000000000000000000000000000000000000000000000000000000000000000f60f60f8";
    assert_eq!(hex, golden);
    assert!(page[316..CRC].iter().all(|byte| *byte == 0));
    assert_eq!(read_u32(&page, CRC), crc32fast::hash(&page[..CRC]));
}

#[test]
fn every_flipped_bit_is_found_or_changes_no_answer() {
    let sample = Sample::small();
    let (disk, _) = sample.written();
    let whole = disk.image(&sample.name());
    for bit in 0..whole.len() * 8 {
        // Blocks are mostly zeros that fill them up: of a byte in there, one bit stands for all.
        if whole[bit / 8] == 0 && bit % 8 != (bit / 8) % 8 {
            continue;
        }
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        disk.restore(&sample.name(), bytes);
        let found_whole = is_found_whole(&sample, &disk);
        let verified = sample.open(&disk).is_ok_and(|file| file.verify().is_ok());
        assert!(!verified, "bit {bit} is verified");
        // Only what nothing asks for may stay unseen, and the header page is always read.
        assert!(!found_whole || bit / 8 >= PAGE, "bit {bit} of the header page is not seen");
    }
}

#[test]
fn a_flipped_bit_in_any_block_of_a_large_file_is_found_when_it_is_asked_for() {
    let lists = (0..3000).map(|name| ((Kind::Stream, name), vec![1, 2, name % 90 + 3])).collect();
    let sample = Sample::new(1, 0, 100, lists);
    let (disk, _) = sample.written();
    let whole = disk.image(&sample.name());
    for block in 0..whole.len() / PAGE {
        disk.restore(&sample.name(), whole.clone());
        disk.flip_bit(&sample.name(), (block * PAGE) as u64 + 7, 3);
        assert!(!is_found_whole(&sample, &disk), "block {block}");
    }
}

#[test]
fn damage_after_opening_is_found_at_the_first_look() {
    let sample = Sample::mixed();
    let (disk, file) = sample.written();
    disk.flip_bit(&sample.name(), BLOCK_BYTES + 3, 1);
    assert!(file.term(key(Kind::Stream, 1)).is_err());
    disk.flip_bit(&sample.name(), BLOCK_BYTES + 3, 1);
    let term = file.term(key(Kind::Stream, 1)).unwrap();
    // What was checked is not checked again, unless it is asked for.
    disk.flip_bit(&sample.name(), BLOCK_BYTES + 3, 1);
    assert_eq!(file.term(key(Kind::Stream, 1)), Ok(term));
    assert!(file.verify().is_err());
}

#[test]
fn an_unreadable_block_is_damage_and_an_unreadable_file_is_rejected() {
    let sample = Sample::mixed();
    let (disk, file) = sample.written();
    disk.inject(Fault::FailRead { file: sample.name(), range: 5000..5001 });
    assert!(file.term(key(Kind::Stream, 1)).is_err());
    assert!(file.verify().is_err());
    disk.inject(Fault::FailRead { file: sample.name(), range: 0..1 });
    assert!(matches!(sample.open(&disk), Err(Rejected::Unreadable(_))));
}

#[test]
fn a_file_of_any_other_length_is_rejected() {
    let sample = Sample::small();
    let (disk, _) = sample.written();
    let whole = disk.image(&sample.name());
    for length in (0..whole.len()).step_by(509).chain([PAGE - 1, PAGE, whole.len() - 1]) {
        disk.restore(&sample.name(), whole[..length].to_vec());
        assert!(matches!(sample.open(&disk), Err(Rejected::Damaged(_))), "{length} bytes");
    }
    disk.restore(&sample.name(), [&whole[..], &[0]].concat());
    assert!(matches!(sample.open(&disk), Err(Rejected::Damaged(_))));
    disk.delete(&sample.name());
    assert_eq!(sample.open(&disk).err(), Some(Rejected::Absent));
}

#[test]
fn zeros_are_never_an_index_file_or_a_part_of_one() {
    let sample = Sample::mixed();
    let (disk, _) = sample.written();
    let whole = disk.image(&sample.name());
    disk.restore(&sample.name(), vec![0; whole.len()]);
    assert!(matches!(sample.open(&disk), Err(Rejected::Damaged(_))));
    let checks = usize::try_from(read_u64(&whole, CHECKS)).unwrap();
    for block in 0..checks / PAGE {
        // A block of zeros whose checksum is right: somebody meant it.
        let mut bytes = whole.clone();
        bytes[block * PAGE..(block + 1) * PAGE].fill(0);
        if block > 0 {
            reseal(&mut bytes);
        }
        disk.restore(&sample.name(), bytes);
        // Places answer with zeros, which is for the log to refuse: compare what names events.
        let terms_found = sample.open(&disk).is_ok_and(|file| {
            let answers = |key| file.term(key).and_then(|term| file.ordinals(&term.unwrap(), 0..u32::MAX));
            sample.terms.keys().all(|key| file.term(*key).is_ok_and(|term| term.is_some()) && answers(*key).is_ok())
        });
        let kept = sections_of_terms(&whole).iter().all(|blocks| !blocks.contains(&block));
        assert_eq!(terms_found, kept && block > 0, "block {block}");
    }
}

/// The blocks of rows, buckets and postings.
fn sections_of_terms(page: &[u8]) -> [std::ops::Range<usize>; 3] {
    [0, 1, 3].map(|section| {
        let offset = usize::try_from(read_u64(page, SECTIONS + section * 16)).unwrap();
        let length = usize::try_from(read_u64(page, SECTIONS + section * 16 + 8)).unwrap();
        offset / PAGE..(offset + length).div_ceil(PAGE)
    })
}

#[test]
fn a_file_of_another_log_is_foreign() {
    let sample = Sample::small();
    let (disk, _) = sample.written();
    let right = sample.binding;
    for other in [
        Binding { store_id: Uuid::from_u128(1), ..right },
        Binding { first_number: 2, ..right },
        Binding { last_number: 4, ..right },
        Binding { generation: 1, ..right },
        Binding { seal: right.seal ^ 1, ..right },
        Binding { base: Position(1001), ..right },
    ] {
        assert_eq!(IndexFile::open(&disk, &sample.name(), &other).err(), Some(Rejected::Foreign), "{other:?}");
    }
    disk.restore(&summary_name(3, 3), disk.image(&sample.name()));
    assert_eq!(IndexFile::open(&disk, &summary_name(3, 3), &right).err(), Some(Rejected::Foreign));
}

#[test]
fn a_file_from_the_future_is_unsupported_and_one_with_ignorable_features_is_read() {
    let sample = Sample::small();
    let disk = forged(&sample, |bytes| bytes[VERSION] = 9);
    assert_eq!(sample.open(&disk).err(), Some(Rejected::Unsupported(9)));
    for place in [INCOMPATIBLE, INCOMPATIBLE + 8] {
        let disk = forged(&sample, |bytes| bytes[place] = 1);
        assert_eq!(sample.open(&disk).err(), Some(Rejected::Unsupported(1)));
    }
    let disk = forged(&sample, |bytes| bytes[COMPATIBLE] = 1);
    assert!(is_found_whole(&sample, &disk));
}

#[test]
fn hostile_numbers_in_the_header_page_are_refused() {
    let sample = Sample::new(1, 0, 50, (0..600).map(|name| ((Kind::Stream, name), vec![name % 50])).collect());
    let whole = sample.written().0.image(&sample.name());
    let values = [0, 1, 7, 4095, 4096, 1 << 20, 1 << 32, 1 << 40, 1 << 63, u64::MAX - 4095, u64::MAX];
    let places = (BASE..KINDS).chain(KINDS..SECTIONS).chain(SECTIONS..CHECKS_CRC).step_by(8);
    for place in places.chain([FORM]) {
        for value in values {
            let disk = forged(&sample, |bytes| write_u64(bytes, place, value));
            let is_whole = is_found_whole_or_damaged(&sample, &disk);
            let is_same = disk.image(&sample.name()) == whole;
            assert!(!is_whole || is_same || is_free(place), "{value:#x} at {place} is believed");
        }
    }
}

/// Like `is_found_whole`, for forged files, whose answers may be wrong: none of them panics.
fn is_found_whole_or_damaged(sample: &Sample, disk: &SimulatedDisk) -> bool {
    let Ok(file) = sample.open(disk) else { return false };
    let mut is_whole = true;
    for (key, (_, ordinals)) in &sample.terms {
        let found = file.term(*key).ok().flatten();
        is_whole &= found.is_some_and(|term| {
            file.ordinals_from(&term, 0, usize::MAX).is_ok_and(|found| found == *ordinals)
                && file.ordinals(&term, 0..u32::MAX).is_ok()
        });
    }
    for kind in Kind::ALL {
        is_whole &= file.terms(kind).all(|term| term.is_ok());
    }
    for ordinal in [0, 1, 49, 50, u32::MAX] {
        let _ = (file.offset_of(ordinal), file.batch_of(ordinal));
    }
    let _ = file.first_batch_since(gesta_model::Timestamp(0));
    is_whole
}

/// What the tests above do not ask for: postings, offsets and batches of a file without lists, and the place left free.
fn is_free(place: usize) -> bool {
    let section = place.checked_sub(SECTIONS).map(|place| place / 16);
    section.is_some_and(|section| matches!(section, 3..=5 | 7))
}

#[test]
fn hostile_sections_with_right_checksums_never_panic() {
    let sample = Sample::mixed();
    let (disk, _) = sample.written();
    let whole = disk.image(&sample.name());
    let checks = usize::try_from(read_u64(&whole, CHECKS)).unwrap();
    for at in (PAGE..checks).filter(|at| whole[*at] != 0 || at % 64 == 0) {
        for value in [0, 0x7f, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            bytes[(at + 1).min(checks - 1)] ^= value;
            let block = at / PAGE..(at + 1).min(checks - 1) / PAGE + 1;
            for block in block {
                let crc = crc32fast::hash(&bytes[block * PAGE..(block + 1) * PAGE]);
                write_u32(&mut bytes, checks + (block - 1) * 4, crc);
            }
            let crc = crc32fast::hash(&bytes[checks..]);
            write_u32(&mut bytes, CHECKS_CRC, crc);
            reseal_header(&mut bytes);
            disk.restore(&sample.name(), bytes);
            is_found_whole_or_damaged(&sample, &disk);
        }
    }
}

#[test]
fn a_power_cut_leaves_the_whole_file_or_none() {
    let sample = Sample::mixed();
    let quiet = SimulatedDisk::new(1);
    let before = quiet.calls();
    sample.write(&quiet);
    let mut outcomes = [0, 0];
    for call in before..quiet.calls() {
        for seed in 0..4 {
            let disk = SimulatedDisk::new(seed);
            disk.inject(Fault::PowerFailsAt { call });
            let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sample.write(&disk)));
            disk.power_cut(&CrashPlan::random(seed));
            let opened = sample.open(&disk);
            match opened {
                Ok(file) => sample.compare(&file).unwrap(),
                Err(rejected) => assert_eq!(rejected, Rejected::Absent),
            }
            outcomes[usize::from(sample.open(&disk).is_ok())] += 1;
            assert!(written.is_err() || sample.open(&disk).is_ok());
        }
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

#[test]
fn a_summary_of_a_damaged_file_names_the_file_and_is_not_made() {
    let disk = SimulatedDisk::new(1);
    let samples = [0, 9].map(|base| Sample { ..Sample::new(1 + base / 9, base, 9, lists()) });
    samples.iter().for_each(|sample| sample.write(&disk));
    let files = samples.each_ref().map(|sample| sample.open(&disk).unwrap());
    disk.flip_bit(&samples[1].name(), BLOCK_BYTES + 5, 0);
    let binding = Binding { last_number: 2, ..samples[0].binding };
    let name = summary_name(1, 2);
    let made = write_summary(&disk, &name, &binding, Position(18), &files.each_ref());
    assert!(matches!(made, Err(SummaryError::Damaged { input: 1, .. })), "{made:?}");
    assert_eq!(IndexFile::open(&disk, &name, &binding).err(), Some(Rejected::Absent));
    disk.set_capacity(Some(20_000));
    disk.flip_bit(&samples[1].name(), BLOCK_BYTES + 5, 0);
    let made = write_summary(&disk, &name, &binding, Position(18), &files.each_ref());
    assert!(matches!(made, Err(SummaryError::Io(_))), "{made:?}");
    let mut left = disk.list().unwrap();
    left.sort();
    assert_eq!(left, samples.each_ref().map(Sample::name));
}

fn lists() -> Vec<List> {
    vec![((Kind::Stream, 1), vec![0, 2, 4, 8]), ((Kind::Tag, 1), vec![3, 4, 5])]
}
