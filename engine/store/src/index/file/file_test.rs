//! What is written is read back: against plain maps.

use super::sample::{List, Sample, key};
use super::{Binding, IndexFile, Rejected, write_summary};
use crate::disk::{Disk, DiskFile, Fault, RealDisk, SimulatedDisk};
use crate::index::key::Kind;
use crate::index::term::Term;
use crate::log::summary_name;
use gesta_model::Position;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn lists(event_count: u32) -> impl Strategy<Value = Vec<List>> {
    let kind = prop::sample::select(Kind::ALL.to_vec());
    let sparse = prop::collection::btree_set(0..event_count, 0..6);
    let dense = (1..9_usize, 0..event_count)
        .prop_map(move |(step, start)| (start..event_count).step_by(step).collect())
        .boxed();
    let ordinals = prop_oneof![3 => sparse.boxed(), 1 => dense];
    prop::collection::btree_map((kind, 0..200_u32), ordinals, 0..120)
        .prop_map(|lists| lists.into_iter().map(|(name, set)| (name, set.into_iter().collect())).collect())
}

fn sample() -> impl Strategy<Value = Sample> {
    (1..700_u32, any::<u32>()).prop_flat_map(|(event_count, base)| {
        lists(event_count).prop_map(move |lists| Sample::new(1, u64::from(base), event_count, lists))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_written_is_read_back(sample in sample()) {
        let (_disk, file) = sample.written();
        prop_assert_eq!(sample.compare(&file), Ok(()));
        prop_assert_eq!(file.verify(), Ok(()));
    }

    #[test]
    fn any_stretch_of_a_list_is_what_a_plain_list_has(
        sample in sample(), skip in 0..800_usize, limit in 0..300_usize, within in (0..800_u32, 0..800_u32),
    ) {
        let (_disk, file) = sample.written();
        for (key, (_, ordinals)) in &sample.terms {
            let term = file.term(*key).unwrap().unwrap();
            let stretch: Vec<u32> = ordinals.iter().copied().skip(skip).take(limit).collect();
            prop_assert_eq!(file.ordinals_from(&term, skip as u64, limit).unwrap(), stretch);
            let inside: Vec<u32> = ordinals.iter().copied().filter(|ordinal| (within.0..within.1).contains(ordinal)).collect();
            prop_assert_eq!(file.ordinals(&term, within.0..within.1).unwrap().iter().collect::<Vec<_>>(), inside);
        }
    }

    #[test]
    fn a_summary_is_the_sum_of_its_files(
        parts in prop::collection::vec((1..60_u32).prop_flat_map(|count| (Just(count), lists(count))), 1..5),
    ) {
        let samples = following(parts);
        let (disk, binding, end) = summed(&samples);
        let summary = IndexFile::open(&disk, &summary_name(1, samples.len() as u64), &binding).unwrap();
        let mut expected: BTreeMap<_, Term> = BTreeMap::new();
        for (term, _) in samples.iter().flat_map(|sample| sample.terms.values()) {
            if matches!(term.key.kind(), Some(Kind::Request | Kind::Event)) {
                prop_assert_eq!(summary.term(term.key), Ok(None));
                continue;
            }
            expected
                .entry(term.key)
                .and_modify(|sum| *sum = Term { count: sum.count + term.count, last: term.last, ..*sum })
                .or_insert(*term);
        }
        prop_assert_eq!((summary.base(), summary.end()), (Position(0), end));
        for (key, term) in &expected {
            prop_assert_eq!(summary.term(*key), Ok(Some(*term)));
        }
        let all: Vec<Term> = Kind::ALL.into_iter().flat_map(|kind| summary.terms(kind)).map(Result::unwrap).collect();
        prop_assert_eq!(all, expected.into_values().collect::<Vec<_>>());
        prop_assert_eq!(summary.verify(), Ok(()));
    }
}

/// Segments that follow on each other, from position 0 on.
fn following(parts: Vec<(u32, Vec<List>)>) -> Vec<Sample> {
    let mut base = 0;
    let mut samples = Vec::new();
    for (number, (event_count, lists)) in (1..).zip(parts) {
        samples.push(Sample::new(number, base, event_count, lists));
        base += u64::from(event_count);
    }
    samples
}

/// Writes all of them and their summary; what the summary says of itself.
fn summed(samples: &[Sample]) -> (SimulatedDisk, Binding, Position) {
    let disk = SimulatedDisk::new(1);
    samples.iter().for_each(|sample| sample.write(&disk));
    let files: Vec<_> = samples.iter().map(|sample| sample.open(&disk).unwrap()).collect();
    let (first, last) = (&samples[0], &samples[samples.len() - 1]);
    let binding = Binding { last_number: last.binding.last_number, ..first.binding };
    let name = summary_name(binding.first_number, binding.last_number);
    write_summary(&disk, &name, &binding, last.end, &files.iter().collect::<Vec<_>>()).unwrap();
    (disk, binding, last.end)
}

#[test]
fn lists_of_every_length_and_encoding_are_read_back() {
    let sample = Sample::mixed();
    let (_disk, file) = sample.written();
    sample.compare(&file).unwrap();
}

#[test]
fn a_segment_without_terms_and_one_without_events_are_read_back() {
    for event_count in [0, 4] {
        let sample = Sample::new(1, 0, event_count, Vec::new());
        let (_disk, file) = sample.written();
        sample.compare(&file).unwrap();
        assert!(file.offset_of(event_count).is_err() && file.batch_of(event_count).is_err());
    }
}

#[test]
fn many_keys_are_told_from_absent_ones_with_a_filter() {
    let lists = (0..5000).map(|name| ((Kind::Stream, name), vec![name % 50])).collect();
    let sample = Sample::new(1, 0, 50, lists);
    let (_disk, file) = sample.written();
    sample.compare(&file).unwrap();
    for name in 0..5000 {
        assert_eq!(file.term(key(Kind::Tag, name)), Ok(None));
        assert_eq!(file.term(key(Kind::Stream, 5000 + name)), Ok(None));
    }
}

#[test]
fn a_stream_is_read_from_its_middle_without_the_lists_blocks_before() {
    let sample = Sample::new(1, 0, 40_000, vec![((Kind::Stream, 1), (0..40_000).collect())]);
    let (disk, file) = sample.written();
    let term = file.term(key(Kind::Stream, 1)).unwrap().unwrap();
    // 312 skips take up less than a block of the 40,000 bytes; the middle of the deltas is unreadable, its end is not.
    let rows_end = 4096 * 2;
    disk.inject(Fault::FailRead { file: sample.name(), range: rows_end + 8192..rows_end + 28_672 });
    assert_eq!(file.ordinals_from(&term, 39_990, 100).unwrap(), (39_990..40_000).collect::<Vec<_>>());
    assert_eq!(file.ordinals(&term, 39_990..39_992).unwrap().len(), 2);
    assert!(file.ordinals_from(&term, 20_000, 1).is_err());
}

#[test]
fn an_index_is_read_from_a_real_directory() {
    let directory = tempfile::tempdir().unwrap();
    let disk = RealDisk::open(directory.path()).unwrap();
    let sample = Sample::mixed();
    assert_eq!(sample.open(&disk).err(), Some(Rejected::Absent));
    sample.write(&disk);
    let file = sample.open(&disk).unwrap();
    sample.compare(&file).unwrap();
    file.verify().unwrap();
    assert_eq!(disk.open(&sample.name(), crate::disk::Access::Read).unwrap().len().unwrap(), file.file_bytes());
    assert_eq!(disk.list().unwrap(), [sample.name()]);
}

#[test]
fn writing_it_again_replaces_it_and_leaves_the_open_one_alone() {
    let sample = Sample::mixed();
    let (disk, file) = sample.written();
    let other = Sample { terms: BTreeMap::new(), ..sample.clone() };
    other.write(&disk);
    sample.compare(&file).unwrap();
    other.compare(&other.open(&disk).unwrap()).unwrap();
}
