//! Every call of a repair fails once, or meets the end of the power.

use super::ground::{events, filled_store, lost_positions, verified};
use crate::misplaced::{batches, written_segments};
use crate::support::small_options;
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{LOST_EVENT_TYPE, OpenError, Position, Reader, RepairError, RepairReport, Store, StoredEvent, repair_on};
use std::io::ErrorKind;

/// A store with a segment missing and a batch damaged.
fn damaged() -> SimulatedDisk {
    let disk = filled_store(8, 100);
    let names = written_segments(&disk);
    let (offset, bytes) = batches(&disk, &names[3])[1];
    disk.flip_bit(&names[3], offset + bytes - 9, 0);
    disk.delete(&names[1]);
    disk
}

fn repair(from: &SimulatedDisk, into: &SimulatedDisk) -> Result<RepairReport, RepairError> {
    repair_on(from, into, &mut |_, _| {})
}

/// Whether there is a store, which then is the whole new one.
fn is_made(disk: &SimulatedDisk, expected: &RepairReport, what: &str) -> bool {
    match Store::open_on(disk.clone(), small_options()) {
        Ok(store) => {
            assert!(!store.recovery().is_degraded, "{what}");
            let head = store.reader().head();
            store.close().unwrap();
            // A directory with nothing in it may as well become a new store.
            if head == Position::START {
                return false;
            }
            assert_eq!((head, verified(disk).0), (expected.head, true), "{what}");
            let lost = |event: &StoredEvent| event.record().event_type() == LOST_EVENT_TYPE;
            assert_eq!(events(disk).iter().filter(|event| lost(event)).count() as u64, expected.missing, "{what}");
            true
        }
        Err(OpenError::ManifestDamaged { .. }) => false,
        Err(error) => panic!("{what}: {error:?}"),
    }
}

fn plans(seed: u64) -> [CrashPlan; 4] {
    let plan = |keep| CrashPlan { seed, keep, granularity: Granularity::Sector };
    [plan(Keep::None), plan(Keep::All), CrashPlan::random(seed), CrashPlan::random(seed + 1)]
}

#[test]
fn power_that_fails_at_any_call_of_a_repair_leaves_the_whole_store_or_none() {
    let from = damaged();
    let expected = repair(&from, &SimulatedDisk::new(1)).unwrap();
    let (mut made, mut none) = (0, 0);
    for call in 1.. {
        let disk = SimulatedDisk::new(call);
        disk.inject(Fault::PowerFailsAt { call });
        let repaired = repair(&from, &disk);
        let is_over = disk.calls() < call;
        for plan in plans(call) {
            let disk = disk.fork();
            disk.power_cut(&plan);
            disk.clear_faults();
            let what = format!("call {call}, {plan:?}");
            let is_made = is_made(&disk, &expected, &what);
            assert!(is_made || repaired.is_err(), "{what}: it was said to be made");
            if is_made { made += 1 } else { none += 1 }
        }
        if is_over {
            assert_eq!(repaired.unwrap().missing, expected.missing);
            println!("the power failed at {} calls of a repair: {made} times a store, {none} times none", call - 1);
            assert!(call > 50 && none > 100 && made > 4, "{call} {none} {made}");
            return;
        }
    }
}

#[test]
fn any_call_of_a_repair_that_fails_leaves_nothing_behind() {
    let from = damaged();
    let expected = repair(&from, &SimulatedDisk::new(1)).unwrap();
    for (kind, persistent) in [(ErrorKind::Other, false), (ErrorKind::StorageFull, false), (ErrorKind::Other, true)] {
        for call in 1.. {
            let disk = SimulatedDisk::new(call);
            disk.inject(Fault::FailCall { call, kind, persistent });
            let repaired = repair(&from, &disk);
            let what = format!("call {call} failed with {kind}, persistent: {persistent}");
            if disk.calls() < call {
                disk.clear_faults();
                assert!(is_made(&disk, &expected, &what));
                assert!(call > 50, "{call}");
                break;
            }
            disk.clear_faults();
            match repaired {
                Err(RepairError::StorageFull { .. }) => assert_eq!(kind, ErrorKind::StorageFull, "{what}"),
                Err(RepairError::Io { .. }) => assert_eq!(kind, ErrorKind::Other, "{what}"),
                other => panic!("{what}: {other:?}"),
            }
            if persistent {
                // Nothing could be taken away: after the first copy of the manifest that is the whole store.
                is_made(&disk, &expected, &what);
            } else {
                assert_eq!(disk.file_names(), [""; 0], "{what}");
                assert_eq!(repair(&from, &disk).unwrap().missing, expected.missing, "{what}");
            }
        }
    }
}

/// A repair that a power cut ended may be run again in the same place once what it left was removed, and says so until then.
#[test]
fn what_an_interrupted_repair_left_is_named_and_not_written_over() {
    let from = damaged();
    let into = SimulatedDisk::new(1);
    into.inject(Fault::PowerFailsAt { call: 30 });
    assert!(repair(&from, &into).is_err());
    into.power_cut(&CrashPlan { seed: 1, keep: Keep::All, granularity: Granularity::Sector });
    into.clear_faults();
    assert!(matches!(repair(&from, &into), Err(RepairError::NotEmpty { .. })));
    assert!(matches!(Reader::open_on(into), Err(OpenError::ManifestDamaged { .. })));
}

/// A disk that does not show the same twice: what is written would not be what was said.
#[test]
fn a_disk_that_fails_between_the_two_readings_is_told() {
    let from = damaged();
    let name = written_segments(&from)[2].clone();
    let (offset, _) = batches(&from, &name)[3];
    let (into, beside) = (SimulatedDisk::new(1), from.clone());
    let mut is_damaged = false;
    let repaired = repair_on(&from, &into, &mut |done, total| {
        if done * 2 >= total && !is_damaged {
            beside.inject(Fault::FailRead { file: name.clone(), range: offset..offset + 1 });
            is_damaged = true;
        }
    });
    assert!(matches!(repaired, Err(RepairError::Unsteady { .. })), "{repaired:?}");
    assert_eq!(into.file_names(), [""; 0]);
}

#[test]
fn more_damage_is_a_longer_list() {
    let from = damaged();
    let before = lost_positions(&repair(&from, &SimulatedDisk::new(1)).unwrap());
    from.delete(written_segments(&from).last().unwrap());
    let after = lost_positions(&repair(&from, &SimulatedDisk::new(1)).unwrap());
    assert!(before.is_subset(&after) && before.len() < after.len());
}
