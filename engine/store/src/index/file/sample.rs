//! Index files for the tests, and the plain maps that they must agree with.

use super::{Binding, Damaged, IndexFile, Rejected, write_index};
use crate::disk::{Disk, SimulatedDisk};
use crate::index::key::{Key, Keyring, Kind};
use crate::index::place::BatchPlace;
use crate::index::term::Term;
use crate::log::index_name;
use gesta_model::{Position, Revision, Timestamp, Uuid};
use std::collections::BTreeMap;
use std::ops::Range;

/// One segment as the index sees it.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) binding: Binding,
    pub(super) end: Position,
    pub(super) terms: BTreeMap<Key, (Term, Vec<u32>)>,
    pub(super) offsets: Vec<u64>,
    pub(super) batches: Vec<BatchPlace>,
}

/// Which events have a key.
pub(super) type List = ((Kind, u32), Vec<u32>);

/// The key of a numbered name.
pub(super) fn key(kind: Kind, name: u32) -> Key {
    Keyring::new(&[5; 16]).key(kind, &name.to_le_bytes())
}

impl Sample {
    /// A segment of so many events: `lists` says which of them have a key; nothing is kept of an empty list.
    pub(super) fn new(number: u64, base: u64, event_count: u32, lists: Vec<List>) -> Self {
        let binding = Binding {
            store_id: Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
            first_number: number,
            last_number: number,
            generation: 0,
            seal: 0x1111_2222_3333_4444_5555_6666_7777_8888,
            base: Position(base),
        };
        let mut terms = BTreeMap::new();
        for ((kind, name), ordinals) in lists {
            let ends = ordinals.first().copied().zip(ordinals.last().copied());
            let Some((first, last)) = ends else { continue };
            let term = Term {
                key: key(kind, name),
                count: ordinals.len() as u64,
                first: Position(base + u64::from(first)),
                last: Position(base + u64::from(last)),
                first_revision: (kind == Kind::Stream).then_some(Revision(base + u64::from(name))),
                postings: 0,
            };
            terms.insert(term.key, (term, ordinals));
        }
        let offsets = (0..event_count).map(|ordinal| 4096 + u64::from(ordinal) * 104).collect();
        let batches = (0..event_count).step_by(3).map(|ordinal| BatchPlace {
            ordinal,
            offset: 4096 + u64::from(ordinal) * 104 - 80 * u64::from(ordinal.min(1)),
            recorded_at: Timestamp(i64::from(ordinal / 6) * 10 - 50),
        });
        let batches = batches.collect();
        Self { binding, end: Position(base + u64::from(event_count)), terms, offsets, batches }
    }

    /// Some of everything: all kinds, lists of one to many events, in both encodings, with and without skips.
    pub(super) fn mixed() -> Self {
        let every = |step: usize, count: usize| (0..500).step_by(step).take(count).collect::<Vec<u32>>();
        Self::new(
            3,
            1000,
            500,
            vec![
                ((Kind::Stream, 1), every(1, 500)),
                ((Kind::Stream, 2), every(3, 129)),
                ((Kind::Stream, 3), every(7, 3)),
                ((Kind::Stream, 4), vec![17]),
                ((Kind::Category, 1), every(1, 500)),
                ((Kind::Type, 1), every(2, 250)),
                ((Kind::Type, 2), vec![5, 499]),
                ((Kind::Tag, 1), every(7, 63)),
                ((Kind::Tag, 2), every(7, 64)),
                ((Kind::Request, 1), vec![0, 1, 2]),
                ((Kind::Event, 1), vec![499]),
            ],
        )
    }

    /// Few events and few keys.
    pub(super) fn small() -> Self {
        Self::new(
            3,
            1000,
            9,
            vec![
                ((Kind::Stream, 1), vec![0, 2, 4, 8]),
                ((Kind::Stream, 2), vec![1]),
                ((Kind::Type, 1), vec![0, 8]),
                ((Kind::Tag, 1), vec![3, 4, 5]),
            ],
        )
    }

    pub(super) fn name(&self) -> String {
        index_name(self.binding.first_number, self.binding.generation)
    }

    pub(super) fn write<D: Disk>(&self, disk: &D) {
        let terms = self.terms.values().cloned();
        let (offsets, batches) = (self.offsets.iter().copied(), self.batches.iter().copied());
        write_index(disk, &self.name(), &self.binding, self.end, terms, self.terms.len(), offsets, batches).unwrap();
    }

    pub(super) fn open<D: Disk>(&self, disk: &D) -> Result<IndexFile<D>, Rejected> {
        IndexFile::open(disk, &self.name(), &self.binding)
    }

    pub(super) fn written(&self) -> (SimulatedDisk, IndexFile<SimulatedDisk>) {
        let disk = SimulatedDisk::new(1);
        self.write(&disk);
        let file = self.open(&disk).unwrap();
        (disk, file)
    }

    /// Asks everything that can be asked; panics at an answer that is wrong.
    pub(super) fn compare<D: Disk>(&self, file: &IndexFile<D>) -> Result<(), Damaged> {
        assert_eq!((file.base(), file.end()), (self.binding.base, self.end));
        for (key, (term, ordinals)) in &self.terms {
            let found = file.term(*key)?.expect("a key that was written is found");
            assert_eq!(Term { postings: 0, ..found }, *term);
            self.compare_list(file, &found, ordinals)?;
        }
        for kind in Kind::ALL {
            assert_eq!(file.term(key(kind, u32::MAX))?, None);
            let expected: Vec<Term> = self.terms.values().map(|(term, _)| *term).filter(of(kind)).collect();
            let found: Vec<Term> = file.terms(kind).collect::<Result<_, _>>()?;
            assert_eq!(found.iter().map(|term| Term { postings: 0, ..*term }).collect::<Vec<_>>(), expected);
        }
        self.compare_places(file)
    }

    fn compare_list<D: Disk>(&self, file: &IndexFile<D>, term: &Term, ordinals: &[u32]) -> Result<(), Damaged> {
        let count = u32::try_from(self.offsets.len()).unwrap();
        for within in [0..count, 0..u32::MAX, count / 3..count / 2, 4..5, count..u32::MAX, reversed(5, 4)] {
            let expected: Vec<u32> = ordinals.iter().copied().filter(|ordinal| within.contains(ordinal)).collect();
            assert_eq!(file.ordinals(term, within)?.iter().collect::<Vec<_>>(), expected);
        }
        for (skip, limit) in [(0, usize::MAX), (0, 1), (1, 2), (127, 2), (128, 1), (130, 300), (ordinals.len(), 5)] {
            let expected: Vec<u32> = ordinals.iter().copied().skip(skip).take(limit).collect();
            assert_eq!(file.ordinals_from(term, skip as u64, limit)?, expected);
        }
        assert_eq!(file.ordinals_from(term, u64::MAX, usize::MAX)?, []);
        Ok(())
    }

    fn compare_places<D: Disk>(&self, file: &IndexFile<D>) -> Result<(), Damaged> {
        for (ordinal, offset) in (0_u32..).zip(&self.offsets) {
            assert_eq!(file.offset_of(ordinal)?, *offset);
            let batch = self.batches.iter().rfind(|batch| batch.ordinal <= ordinal).unwrap();
            assert_eq!(file.batch_of(ordinal)?, *batch);
        }
        for time in [i64::MIN, -50, -49, 0, 1, 10, i64::MAX].map(Timestamp) {
            let expected = self.batches.iter().find(|batch| batch.recorded_at >= time);
            assert_eq!(file.first_batch_since(time)?.as_ref(), expected);
        }
        Ok(())
    }
}

fn of(kind: Kind) -> impl Fn(&Term) -> bool {
    move |term| term.key.kind() == Some(kind)
}

/// A range that ends before it starts, as a caller's mistake may make one.
fn reversed(start: u32, end: u32) -> Range<u32> {
    start..end
}
