//! The judgement of what stands where the next batch should begin: nothing, a torn write, or damage.

use super::tail_scan::TailScan;
use crate::log::batch_source::{BatchSource, Bytes, Found};
use crate::sabotage::{Bug, has};
use gesta_model::{Incarnation, Position};

/// What the bytes from an offset on are.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// What is damaged held no events; the log goes on at this batch.
    NoEventsLost(Found),
    /// Nothing here was promised to anybody. `nonzero_end`: the end of what is not zero, if anything is not.
    Torn { nonzero_end: Option<u64> },
    /// Something that was durable is damaged. `next`: where events can be read again; `evidence`: how far the log
    /// reached at least.
    Corrupt { next: Option<Found>, evidence: Position, what: String },
}

/// What lies beyond the scan in all the files that may hold the log's end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doubt {
    /// How far a torn write may reach, in bytes from the scan's offset, as the segment's own header states it.
    pub(crate) unsynced_bytes_max: u64,
    /// What is proven durable by other files: the manifest, or a following segment.
    pub(crate) evidence: Position,
    /// How far from the scan's offset to look.
    pub(crate) reach: u64,
    /// The latest life that may have written.
    pub(crate) incarnation: Incarnation,
}

/// Judges the bytes from the scan's offset on.
pub(crate) fn judge<B: Bytes>(scan: &TailScan, source: &mut BatchSource<'_, B>, doubt: &Doubt) -> Verdict {
    let expected = scan.position;
    let mut seen = Seen { evidence: doubt.evidence.max(scan.durable), ..Seen::default() };
    let lives = scan.incarnation..=doubt.incarnation;
    let end = scan.offset.saturating_add(doubt.reach);
    let mut at = scan.offset;
    loop {
        let ahead = source.look_ahead(at, end, |found| lives.contains(&found.header.incarnation));
        seen.nonzero_end = ahead.nonzero_end.or(seen.nonzero_end);
        seen.unreadable |= ahead.unreadable;
        let Some(found) = ahead.found else { break };
        seen.evidence = seen.evidence.max(found.header.durable);
        if found.offset > scan.offset && found.header.base >= expected {
            seen.next.get_or_insert(found);
        }
        at = found.offset + 8;
    }
    if has(Bug::CutCorruption) {
        return Verdict::Torn { nonzero_end: seen.nonzero_end };
    }
    match seen.next {
        Some(next) if next.header.base == expected => Verdict::NoEventsLost(next),
        next => {
            let corrupt = |what: &str| Verdict::Corrupt { next, evidence: seen.evidence, what: what.to_owned() };
            if seen.evidence > expected {
                corrupt("a batch that was durable is damaged or missing")
            } else if seen.unreadable {
                corrupt("the disk cannot read the end of the log")
            } else if seen.nonzero_end.is_some_and(|end| end - scan.offset > doubt.unsynced_bytes_max) {
                corrupt("more is damaged than an interrupted write can explain")
            } else {
                Verdict::Torn { nonzero_end: seen.nonzero_end }
            }
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    evidence: Position,
    next: Option<Found>,
    nonzero_end: Option<u64>,
    unreadable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::origin::Origin;
    use gesta_model::Uuid;
    use gesta_model::codec::{SegmentHeader, StoreKey};
    use std::io;

    /// Zeros that note how far they were read.
    struct Zeros {
        bytes: Vec<u8>,
        read_end: u64,
    }

    impl Bytes for &mut Zeros {
        fn length(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
            self.read_end = self.read_end.max(offset + length as u64);
            let start = usize::try_from(offset).expect("an offset in memory");
            Ok(&self.bytes[start..start + length])
        }
    }

    // A subscription to another process's log read the zeros of a whole segment, up to 256 MiB, a hundred times a second.
    #[test]
    fn no_more_is_read_than_the_doubt_reaches() {
        let header = SegmentHeader {
            store_id: Uuid::from_u128(1),
            number: 1,
            generation: 0,
            incarnation: Incarnation(1),
            base: Position::START,
            previous: 0,
            previous_seal: 0,
            unsynced_bytes_max: 1 << 20,
            segment_bytes: 4 << 20,
        };
        let doubt = Doubt {
            unsynced_bytes_max: u64::MAX,
            evidence: Position::START,
            reach: 64 << 10,
            incarnation: Incarnation(1),
        };
        let origin = Origin { key: StoreKey([7; 16]), lives: Vec::new() };
        let mut zeros = Zeros { bytes: vec![0; 4 << 20], read_end: 0 };
        let verdict = judge(&TailScan::new(&header), &mut BatchSource::new(&mut zeros, &origin), &doubt);
        assert!(matches!(verdict, Verdict::Torn { nonzero_end: None }));
        assert!((64 << 10..128 << 10).contains(&zeros.read_end), "{}", zeros.read_end);
    }
}
