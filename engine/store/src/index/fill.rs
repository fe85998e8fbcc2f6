//! Reading a stretch of a segment into an index in memory: the tail at opening, another process's tail as it grows, and a
//! segment whose index file is missing or damaged.

use super::key::Keyring;
use super::memory::MemoryIndex;
use super::place::BatchPlace;
use super::record_keys::RecordKeys;
use crate::disk::Disk;
use crate::log::{Found, Log, Segment, SegmentWalk, Step, Window};
use crate::sabotage::{Bug, has};
use gesta_model::codec::{HEADER_PAGE_BYTES, HEADERS_BYTES, RecordWalk};
use gesta_model::{Damage, Position};
use std::sync::Arc;

/// How far a segment was read into its index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filled {
    pub(crate) offset: u64,
    pub(crate) position: Position,
}

impl Filled {
    /// Nothing of a segment was read yet.
    pub(crate) fn nothing_of<D: Disk>(segment: &Segment<D>) -> Self {
        Self { offset: HEADER_PAGE_BYTES as u64, position: segment.base }
    }

    /// Reads on up to a position and adds what is found to the index; damage is noted there, and returned.
    ///
    /// The bytes are read with the disk's own calls, so that a failing disk is damage and not a signal.
    pub(crate) fn read_on<D: Disk>(
        &mut self,
        log: &Log<D>,
        segment: &Segment<D>,
        until: Position,
        (keyring, index): (&Keyring, &MemoryIndex),
    ) -> Vec<Damage> {
        let mut found = Vec::new();
        let window = match Window::new(&segment.file) {
            Ok(window) => window,
            Err(error) => {
                let what = format!("cannot be read: {error}");
                let damage =
                    Damage { file: segment.path.clone(), offset: self.offset, positions: self.position..until, what };
                index.note_gap(damage.clone());
                self.position = until;
                return vec![damage];
            }
        };
        let mut adder = Adder { keyring, keys: Vec::new(), offsets: Vec::new(), index };
        let mut walk = SegmentWalk::new(window, &log.origin, &segment.path, (self.offset, self.position), until);
        while let Some(step) = walk.next() {
            let damage = match step {
                Step::Damage(damage) => damage,
                Step::Batch(batch) => match walk.source.verified_body(&batch) {
                    Ok(body) => match adder.add_batch(&batch, body) {
                        None => continue,
                        Some(untrue) => Damage { file: segment.path.clone(), offset: batch.offset, ..untrue },
                    },
                    Err(why) => walk.damaged_body(&batch, why),
                },
            };
            if !damage.positions.is_empty() {
                index.note_gap(damage.clone());
            }
            found.push(damage);
        }
        *self = Self { offset: walk.at.offset, position: walk.at.position };
        found
    }
}

/// A tail segment that is read into its index while it is recovered, so that an opening reads it once.
pub(crate) struct TailFill {
    keyring: Keyring,
    memory: Option<Arc<MemoryIndex>>,
    /// Recovery came by damage: what is missing is found out by reading the segment again.
    has_gap: bool,
}

impl TailFill {
    /// Nothing was recovered yet.
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self { keyring, memory: None, has_gap: false }
    }

    /// Adds a verified batch of the segment that begins at a position.
    pub(crate) fn add(&mut self, base: Position, batch: &Found, body: &[u8]) {
        let memory = self.memory.get_or_insert_with(|| Arc::new(MemoryIndex::new(base)));
        self.has_gap |= batch.header.base != base.plus(u64::from(memory.placed_count()));
        if self.has_gap {
            return;
        }
        let keyring = &self.keyring;
        let mut adder = Adder { keyring, keys: Vec::new(), offsets: Vec::new(), index: memory };
        self.has_gap |= adder.add_batch(batch, body).is_some();
    }

    /// The index, unless there was nothing to add or something is missing from it.
    pub(crate) fn finish(self) -> Option<Arc<MemoryIndex>> {
        self.memory.filter(|_| !self.has_gap)
    }
}

struct Adder<'a> {
    keyring: &'a Keyring,
    keys: Vec<super::key::Key>,
    offsets: Vec<u64>,
    index: &'a MemoryIndex,
}

impl Adder<'_> {
    /// Adds the events of a batch; returns those that cannot be read although the batch's checksum is right.
    fn add_batch(&mut self, batch: &Found, body: &[u8]) -> Option<Damage> {
        if batch.header.count == 0 {
            return None;
        }
        let first = batch.offset + HEADERS_BYTES as u64;
        self.offsets.clear();
        let mut record_keys = RecordKeys::new(self.keyring);
        let mut walk = RecordWalk::new(&batch.header);
        while let Some(Ok(place)) = walk.next_place(body) {
            self.keys.clear();
            let request = place.request.as_ref().filter(|_| !has(Bug::ForgetRequestIds));
            record_keys.add(&place.record, request, &mut self.keys);
            let ordinal = self.index.ordinal(place.record.position());
            self.index.add(ordinal, &self.keys, place.record.revision());
            self.offsets.push(first + place.offset as u64);
        }
        let place = BatchPlace {
            ordinal: self.index.ordinal(batch.header.base),
            offset: batch.offset,
            recorded_at: batch.header.recorded_at,
        };
        self.index.place_batch(place, self.offsets.drain(..));
        let positions = walk.position()..batch.header.end();
        let what = "a record is not what its batch's checksum vouches for".to_owned();
        (!positions.is_empty()).then_some(Damage { file: String::new(), offset: 0, positions, what })
    }
}
