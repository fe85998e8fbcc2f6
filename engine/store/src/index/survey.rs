//! Reading a log once, in order, to derive its index: at opening, and on as it grows elsewhere.

use super::{Index, Landmark};
use crate::disk::Disk;
use crate::log::{Damage, Log, Segment, SegmentWalk, Step, Window};
use gesta_model::Position;
use gesta_model::codec::{BatchHeader, HEADER_PAGE_BYTES, Records};
use std::sync::atomic::Ordering;

/// How far a log was surveyed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Survey {
    position: Position,
    segment: u64,
    offset: u64,
}

impl Survey {
    /// Reads on up to the readable watermark and adds what is found to the index; names what is damaged.
    ///
    /// The bytes are read with the disk's own calls, so that a failing disk is damage and not a signal.
    pub(crate) fn catch_up<D: Disk>(&mut self, log: &Log<D>, index: &Index) -> Vec<Damage> {
        let mut damage = Vec::new();
        let readable = log.watermarks.readable();
        let segments = log.segments.load();
        for (ordinal, segment) in segments.list.iter().enumerate() {
            if segment.number < self.segment || self.position >= readable {
                continue;
            }
            let end = segments.list.get(ordinal + 1).map_or(readable, |next| next.base).min(readable);
            if segment.number > self.segment {
                if segment.base > self.position {
                    damage.push(missing(segment, self.position));
                }
                *self = Self { position: segment.base, segment: segment.number, offset: HEADER_PAGE_BYTES as u64 };
            }
            self.read_segment(segment, log, index, end, &mut damage);
        }
        if self.position < readable {
            let file = segments.list.last().map_or_else(|| "the log".to_owned(), |segment| segment.path.clone());
            let what = "the end of the log is missing".to_owned();
            damage.push(Damage { file, offset: self.offset, positions: self.position..readable, what });
            self.position = readable;
        }
        if damage.iter().any(|damage| !damage.positions.is_empty()) {
            // Relaxed: pairs with the load in `Cursor::new`; who reads from the other thread was handed the reader since.
            index.has_gaps.store(true, Ordering::Relaxed);
        }
        damage
    }

    fn read_segment<D: Disk>(
        &mut self,
        segment: &Segment<D>,
        log: &Log<D>,
        index: &Index,
        end: Position,
        damage: &mut Vec<Damage>,
    ) {
        let window = match Window::new(&segment.file) {
            Ok(window) => window,
            Err(error) => {
                let positions = self.position..end;
                let what = format!("cannot be read: {error}");
                damage.push(Damage { file: segment.path.clone(), offset: self.offset, positions, what });
                self.position = end;
                return;
            }
        };
        let start = (self.offset, self.position);
        let mut walk = SegmentWalk::new(window, &log.key, &segment.path, start, end);
        while let Some(step) = walk.next() {
            match step {
                Step::Damage(found) => damage.push(found),
                Step::Batch(found) => match walk.source.verified_body(&found) {
                    Ok(body) => {
                        let landmark = Landmark { position: found.header.base, offset: found.offset };
                        index.landmarks.offer(segment.number, landmark);
                        index.note_batch(&found.header, body);
                    }
                    Err(why) => damage.push(walk.damaged_body(&found, why)),
                },
            }
        }
        self.offset = walk.offset;
        self.position = walk.position;
    }
}

impl Index {
    /// Notes the events of a verified batch.
    fn note_batch(&self, header: &BatchHeader, body: &[u8]) {
        let mut heads = self.heads.hold();
        for record in Records::new(header, body).map_while(Result::ok) {
            if let (Some(stream), Some(revision)) = (record.stream(), record.revision()) {
                heads.note(stream, revision, record.position());
            }
        }
    }
}

fn missing<D: Disk>(segment: &Segment<D>, from: Position) -> Damage {
    let what = "the segment before this one is missing, or its end is".to_owned();
    Damage { file: segment.path.clone(), offset: 0, positions: from..segment.base, what }
}
