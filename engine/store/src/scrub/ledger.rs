//! What a scrub has done and found: written by the one that scrubs, read by everybody.

use super::status::{PassProgress, ScrubStatus};
use crate::sync::Mutex;
use gesta_model::{Damage, Timestamp};
use std::collections::BTreeMap;

/// The account of one store's scrub.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Account>);

#[derive(Debug, Default)]
struct Account {
    /// All but the damage, which is kept by segment.
    status: ScrubStatus,
    found: BTreeMap<u64, SegmentDamage>,
}

/// What one look at one segment found.
#[derive(Debug, Default)]
pub(super) struct SegmentDamage {
    batches: u64,
    /// The first of it: a segment may be damaged from its first batch to its last, and memory is not to be.
    first: Vec<Damage>,
}

/// How much of the damage of one segment is kept.
const KEPT_MAX: usize = 100;

impl SegmentDamage {
    pub(super) fn add(&mut self, damage: Damage) {
        self.batches += u64::from(!damage.positions.is_empty());
        if self.first.len() < KEPT_MAX {
            self.first.push(damage);
        }
    }
}

impl Ledger {
    /// As of now.
    pub(crate) fn status(&self) -> ScrubStatus {
        let account = self.0.lock();
        let damage = account.found.values().flat_map(|found| found.first.iter().cloned()).collect();
        let damaged_batches = account.found.values().map(|found| found.batches).sum();
        ScrubStatus { damage, damaged_batches, ..account.status.clone() }
    }

    /// A pass goes on, or begins, having read so many bytes more.
    pub(super) fn went_on(&self, read_bytes: u64, progress: PassProgress) {
        let status = &mut self.0.lock().status;
        status.bytes += read_bytes;
        status.pass = Some(progress);
    }

    /// A pass has ended.
    pub(super) fn ended(&self, now: Timestamp) {
        let status = &mut self.0.lock().status;
        status.passes += 1;
        status.pass = None;
        status.last_pass_ended = Some(now);
    }

    /// A segment was looked at as a whole. What was found replaces what the look before found; tells what of it is new.
    pub(super) fn looked_at(&self, segment: u64, found: SegmentDamage) -> Vec<Damage> {
        let mut account = self.0.lock();
        let before = account.found.remove(&segment).unwrap_or_default();
        let news = found.first.iter().filter(|damage| !before.first.contains(damage)).cloned().collect();
        if !found.first.is_empty() {
            account.found.insert(segment, found);
        }
        news
    }

    /// An index file is damaged.
    pub(super) fn index_file_damaged(&self) {
        self.0.lock().status.index_files_damaged += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta_model::Position;

    fn damage(offset: u64) -> Damage {
        let positions = Position(offset)..Position(offset + 1);
        Damage { file: "a segment".to_owned(), offset, positions, what: "flipped".to_owned() }
    }

    fn found(offsets: impl IntoIterator<Item = u64>) -> SegmentDamage {
        let mut found = SegmentDamage::default();
        offsets.into_iter().for_each(|offset| found.add(damage(offset)));
        found
    }

    #[test]
    fn what_a_later_look_finds_replaces_what_an_earlier_one_found() {
        let ledger = Ledger::default();
        assert_eq!(ledger.looked_at(2, found([7])), [damage(7)]);
        assert_eq!(ledger.looked_at(1, found([3, 5])), [damage(3), damage(5)]);
        assert_eq!(ledger.status().damage, [damage(3), damage(5), damage(7)], "in the order of the log");
        assert_eq!(ledger.looked_at(1, found([5, 6])), [damage(6)], "only what is new is told");
        assert_eq!(ledger.looked_at(2, found([])), []);
        assert_eq!(ledger.status().damage, [damage(5), damage(6)]);
        assert_eq!(ledger.status().damaged_batches, 2);
    }

    #[test]
    fn a_segment_that_is_all_damage_takes_little_memory_and_is_counted_in_full() {
        let ledger = Ledger::default();
        ledger.looked_at(1, found(0..100_000));
        let status = ledger.status();
        assert_eq!((status.damage.len(), status.damaged_batches), (KEPT_MAX, 100_000));
    }
}
