//! Each kind of damage by itself, and exactly what it costs.

use super::ground::{Repaired, events, filled_store, lost_positions, refusal, repaired, segments, verified};
use crate::misplaced::{batches, written_segments};
use crate::support::{open, request, small_options};
use gesta::codec::HEADER_PAGE_BYTES;
use gesta::disk::{CrashPlan, Fault, Keep, SimulatedDisk};
use gesta::{
    Damage, Durability, LOST_EVENT_TYPE, OpenError, Position, Reader, RepairError, Store, StoredEvent, repair_on,
};
use std::ops::Range;

const HEADER_PAGE: Range<u64> = 0..HEADER_PAGE_BYTES as u64;

/// A store with damage, and what it held before.
struct Damaged {
    disk: SimulatedDisk,
    before: Vec<StoredEvent>,
}

impl Damaged {
    fn by(damage: impl FnOnce(&SimulatedDisk)) -> Self {
        let disk = filled_store(5, 120);
        let before = events(&disk);
        damage(&disk);
        Self { disk, before }
    }

    #[track_caller]
    fn repaired(&self) -> Repaired {
        repaired(&self.disk, &self.before, "").unwrap()
    }

    /// Repairs, and looks whether exactly these positions are missing, as verify says.
    #[track_caller]
    fn costs(&self, positions: Range<u64>) -> Repaired {
        let repaired = self.repaired();
        assert!(repaired.report.made.is_some());
        assert_eq!(lost_positions(&repaired.report), positions.clone().collect());
        assert_eq!(verified(&self.disk).1, positions.collect(), "verify says the same");
        repaired
    }
}

/// The positions that a segment of the undamaged store holds.
fn positions_of(disk: &SimulatedDisk, name: &str) -> Range<u64> {
    let base = |name: &str| u64::from_le_bytes(disk.image(name)[72..80].try_into().unwrap());
    let names = written_segments(disk);
    let ordinal = names.iter().position(|written| written == name).unwrap();
    let end = names.get(ordinal + 1).map_or_else(|| Reader::open_on(disk.clone()).unwrap().head().0, |next| base(next));
    base(name)..end
}

#[test]
fn a_flipped_bit_in_a_sealed_segment_costs_its_batch() {
    let whole = filled_store(5, 120);
    let name = &written_segments(&whole)[1];
    let (offset, bytes) = batches(&whole, name)[2];
    let damaged = Damaged::by(|disk| disk.flip_bit(name, offset + bytes - 9, 3));
    let repaired = damaged.repaired();
    let [Damage { file, offset: at, positions, what }] = &repaired.report.damage[..] else {
        panic!("{:?}", repaired.report)
    };
    assert!(file.ends_with(name) && what.contains("checksum"), "{file}: {what}");
    assert_eq!(*at, offset);
    damaged.costs(positions.start.0..positions.end.0);
    let data = format!(
        r#"{{"file":"{name}","offset":{offset},"positions":[{},{}],"what":"{what}"}}"#,
        positions.start, positions.end
    );
    for position in positions.start.0..positions.end.0 {
        let event = &repaired.events[usize::try_from(position).unwrap()];
        let record = event.record();
        assert_eq!(record.event_type(), LOST_EVENT_TYPE);
        assert_eq!((record.data().bytes(), record.data().is_json()), (data.as_bytes(), true));
        assert_eq!((record.time(), record.tags().next(), record.metadata().is_empty()), (None, None, true));
    }
}

#[test]
fn a_lost_header_page_costs_no_event() {
    let whole = filled_store(5, 120);
    for name in written_segments(&whole) {
        for is_zeroed in [true, false] {
            let damaged = Damaged::by(|disk| {
                if is_zeroed {
                    disk.zero(&name, HEADER_PAGE);
                } else {
                    disk.overwrite(&name, 0, &[0xa5; HEADER_PAGE_BYTES]);
                }
            });
            let repaired = damaged.repaired();
            assert!(repaired.report.made.is_some(), "{name}");
            assert_eq!(repaired.report.missing, 0, "{name}: {:?}", repaired.report.damage);
            let named = |damage: &Damage| damage.file.ends_with(&name) && damage.what.contains("header");
            assert!(repaired.report.damage.iter().any(named), "{name}: {:?}", repaired.report.damage);
        }
    }
}

// The copy was taken for the first batch of the segment, so that the segment before it was read up to there and no further.
#[test]
fn a_copy_of_an_earlier_batch_in_a_segment_that_lost_its_header_costs_no_event_of_the_segment_before() {
    let whole = filled_store(5, 120);
    for pair in written_segments(&whole).windows(2) {
        let [before, name] = pair else { continue };
        for (offset, bytes) in batches(&whole, before) {
            let damaged = Damaged::by(|disk| {
                disk.zero(name, HEADER_PAGE);
                disk.copy_within(before, offset..offset + bytes, name, HEADER_PAGE.end);
            });
            let (lost, held) = (lost_positions(&damaged.repaired().report), positions_of(&whole, name));
            assert!(lost.iter().all(|position| held.contains(position)), "{offset} of {before} to {name}: {lost:?}");
        }
    }
}

#[test]
fn a_missing_segment_in_the_middle_costs_what_it_held() {
    let whole = filled_store(5, 120);
    let names = written_segments(&whole);
    for name in &names[1..names.len() - 1] {
        let damaged = Damaged::by(|disk| disk.delete(name));
        damaged.costs(positions_of(&whole, name));
    }
}

#[test]
fn missing_first_segments_cost_what_they_held() {
    let whole = filled_store(5, 120);
    let names = written_segments(&whole);
    for count in 1..names.len() {
        let damaged = Damaged::by(|disk| names[..count].iter().for_each(|name| disk.delete(name)));
        damaged.costs(0..positions_of(&whole, &names[count]).start);
    }
}

#[test]
fn a_store_whose_segments_are_all_gone_becomes_stand_ins_up_to_where_its_manifest_knows() {
    let damaged = Damaged::by(|disk| segments(disk).iter().for_each(|name| disk.delete(name)));
    let repaired = damaged.costs(0..damaged.before.len() as u64);
    assert_eq!((repaired.report.salvaged, repaired.report.in_streams), (0, 0));
}

#[test]
fn a_damaged_end_costs_what_is_proven_to_have_stood_there() {
    let whole = filled_store(5, 120);
    let name = written_segments(&whole).pop().unwrap();
    let (offset, _) = batches(&whole, &name)[1];
    let end = Reader::open_on(whole.clone()).unwrap().head().0;
    let damaged = Damaged::by(|disk| {
        let length = disk.image(&name).len() as u64;
        disk.zero(&name, offset..length);
    });
    let before = damaged.repaired().report.damage[0].positions.start.0;
    let repaired = damaged.costs(before..end);
    assert_eq!(repaired.report.head, Position(end));
    let doubtful = repaired.report.doubtful_end.unwrap();
    assert_eq!((doubtful.offset, doubtful.positions), (offset, Position(end)..Position(end)));
}

/// Nothing says how far the log reached: a power cut, not a close, and the file behind a seal gone.
#[test]
fn an_end_of_which_nothing_is_left_is_told_and_its_receipts_are_lost() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    for number in 0..40 {
        store.append(request("a", &[&format!("{number:0500}")], Durability::Durable)).unwrap();
    }
    let life = store.recovery().incarnation;
    disk.power_cut(&CrashPlan { keep: Keep::All, ..CrashPlan::random(1) });
    drop(store);
    let before = events(&disk.fork());
    let names = written_segments(&disk);
    let last = names.last().unwrap();
    let end = positions_of(&disk, last).start;
    let spare = segments(&disk).pop().unwrap();
    disk.delete(last);
    if spare != *last {
        disk.delete(&spare);
    }
    let repaired = repaired(&disk, &before, "").unwrap();
    assert_eq!((repaired.report.head, repaired.report.missing), (Position(end), 0));
    let [missing] = &repaired.report.damage[..] else { panic!("{:?}", repaired.report.damage) };
    assert!(missing.what.contains(&format!("events from position {end} on may have been lost")), "{missing}");
    let store = open(&repaired.disk);
    assert!(store.is_lost(life, Position(end)) && !store.is_lost(life, Position(end - 1)));
}

#[test]
fn bad_sectors_cost_the_batches_that_lie_there() {
    let whole = filled_store(5, 120);
    for name in written_segments(&whole) {
        for (offset, bytes) in batches(&whole, &name) {
            let damaged = Damaged::by(|disk| {
                let range = offset + bytes / 2..offset + bytes / 2 + 1;
                disk.inject(Fault::FailRead { file: name.clone(), range });
            });
            let what = format!("{name} at {offset}");
            let repaired = repaired(&damaged.disk, &damaged.before, &what).unwrap();
            assert!((1..=4).contains(&repaired.report.missing), "{what}: {:?}", repaired.report);
            assert_eq!(lost_positions(&repaired.report), verified(&damaged.disk).1, "{what}");
        }
    }
}

#[test]
fn a_lost_seal_costs_no_event_and_yet_a_new_store_is_needed() {
    let whole = filled_store(5, 120);
    let name = &written_segments(&whole)[1];
    let image = whole.image(name);
    let end = image.iter().rposition(|byte| *byte != 0).unwrap() as u64;
    let damaged = Damaged::by(|disk| disk.flip_bit(name, end, 0));
    let repaired = damaged.costs(0..0);
    assert!(repaired.report.damage.iter().any(|damage| damage.what.contains("seal")), "{:?}", repaired.report.damage);
    assert!(open(&damaged.disk).recovery().is_degraded);
}

#[test]
fn of_a_store_without_damage_none_is_made() {
    let damaged = Damaged::by(|_| {});
    let repaired = damaged.repaired();
    assert_eq!((repaired.report.made, repaired.report.damage, repaired.report.doubtful_end), (None, vec![], None));
    assert_eq!(repaired.report.salvaged, damaged.before.len() as u64);
    let empty = SimulatedDisk::new(1);
    open(&empty).close().unwrap();
    assert_eq!(repair_on(&empty, &SimulatedDisk::new(2), &mut |_, _| {}).unwrap().made, None);
}

/// An interrupted write is no damage: opening for writing cuts it.
#[test]
fn a_torn_end_is_told_and_needs_no_repair() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    store.append(request("a", &["one"], Durability::Durable)).unwrap();
    store.append(request("a", &["two"], Durability::Durable)).unwrap();
    disk.power_cut(&CrashPlan { keep: Keep::All, ..CrashPlan::random(1) });
    drop(store);
    let name = &segments(&disk)[0];
    let (offset, bytes) = batches(&disk, name)[1];
    disk.flip_bit(name, offset + bytes - 9, 0);
    let report = repair_on(&disk, &SimulatedDisk::new(2), &mut |_, _| {}).unwrap();
    assert_eq!((report.made, report.head), (None, Position(1)));
    let doubtful = report.doubtful_end.unwrap();
    assert_eq!((doubtful.offset, doubtful.positions), (offset, Position(1)..Position(1)));
    assert!(!open(&disk).recovery().is_degraded);
}

/// A reader beside a writer would not show it yet, and it may have been acknowledged.
#[test]
fn the_last_batch_is_kept_although_nothing_proves_it() {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    for data in ["one", "two", "three"] {
        store.append(request("a", &[data], Durability::Durable)).unwrap();
    }
    let before: Vec<StoredEvent> = events(&{
        let closed = disk.fork();
        closed.power_cut(&CrashPlan { keep: Keep::All, ..CrashPlan::random(1) });
        open(&closed).close().unwrap();
        closed
    });
    disk.power_cut(&CrashPlan { keep: Keep::All, ..CrashPlan::random(1) });
    drop(store);
    let name = &segments(&disk)[0];
    let (offset, bytes) = batches(&disk, name)[1];
    disk.flip_bit(name, offset + bytes - 9, 0);
    assert_eq!(Reader::open_on(disk.clone()).unwrap().head(), Position(2));
    let repaired = repaired(&disk, &before, "").unwrap();
    assert_eq!((repaired.report.head, repaired.report.salvaged), (Position(3), 2));
    assert_eq!(lost_positions(&repaired.report), [1].into());
}

#[test]
fn what_nobody_can_tell_apart_is_refused_as_an_opening_refuses_it() {
    let whole = filled_store(5, 120);
    let refused = |disk: &SimulatedDisk| {
        let error = repaired(disk, &[], "").map(|repaired| repaired.report).unwrap_err();
        let RepairError::Open(error) = error else { panic!("{error:?}") };
        assert_eq!(error.to_string(), refusal(disk).unwrap().to_string());
        error
    };
    let disk = whole.fork();
    disk.delete("manifest");
    disk.delete("manifest.copy");
    assert!(matches!(refused(&disk), OpenError::ManifestDamaged { .. }));
    // An old copy of a segment.
    let disk = filled_store(6, 120);
    let names = written_segments(&disk);
    disk.restore(&names[1], whole.image(&names[1]));
    assert!(matches!(refused(&disk), OpenError::Foreign { .. }));
    assert!(matches!(refused(&SimulatedDisk::new(1)), OpenError::NotFound { .. }));
}

#[test]
fn a_store_that_is_open_is_not_repaired_nor_is_one_made_over_another() {
    let damaged = Damaged::by(|disk| disk.delete(&written_segments(disk)[1]));
    let store = Store::open_on(damaged.disk.clone(), small_options()).unwrap();
    let refused = repair_on(&damaged.disk, &SimulatedDisk::new(1), &mut |_, _| {});
    assert!(matches!(refused, Err(RepairError::Open(OpenError::Locked { .. }))), "{refused:?}");
    drop(store);
    for into in [damaged.disk.clone(), filled_store(1, 3)] {
        let refused = repair_on(&damaged.disk, &into, &mut |_, _| {});
        assert!(matches!(refused, Err(RepairError::NotEmpty { .. })), "{refused:?}");
    }
}
