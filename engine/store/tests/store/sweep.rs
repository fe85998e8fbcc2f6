//! Every call of a history fails once: the first, the second, and so on until a history passes unharmed.
//!
//! After each, reads go on, refusals are typed, and what was promised is there whichever way the machine goes down.

use crate::history::History;
use crate::support::{open, request, small_options, texts};
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{AppendError, Durability, OpenError, Read, Store};
use std::io::ErrorKind;

/// Lives through the history with the fault at each moment; returns how many moments there are.
fn sweep(fault: impl Fn(u64) -> Fault, count: impl Fn(&SimulatedDisk) -> u64) -> u64 {
    for moment in 1.. {
        let disk = SimulatedDisk::new(moment);
        let fault = fault(moment);
        let history = History::live(disk, &fault);
        history.survives_every_end(moment);
        if count(&history.disk) < moment {
            assert_eq!(history.refusals, 0, "{fault:?} was not met");
            return moment - 1;
        }
    }
    unreachable!("a history has an end")
}

fn fail_call(kind: ErrorKind, persistent: bool) {
    let calls = sweep(|call| Fault::FailCall { call, kind, persistent }, SimulatedDisk::calls);
    println!("{calls} calls failed with {kind}, persistent: {persistent}");
    assert!(calls > 150, "{calls}");
}

#[test]
fn any_call_that_fails_once_costs_nothing_that_was_promised() {
    fail_call(ErrorKind::Other, false);
}

#[test]
fn a_disk_that_fails_for_good_at_any_call_costs_nothing_that_was_promised() {
    fail_call(ErrorKind::Other, true);
}

#[test]
fn a_disk_that_is_full_at_any_call_costs_nothing_that_was_promised() {
    fail_call(ErrorKind::StorageFull, false);
    fail_call(ErrorKind::StorageFull, true);
}

#[test]
fn a_quota_that_is_used_up_at_any_call_costs_nothing_that_was_promised() {
    fail_call(ErrorKind::QuotaExceeded, false);
    fail_call(ErrorKind::QuotaExceeded, true);
}

/// An operator is to be told of the room that is missing, and a store whose quota was raised goes on by itself.
#[test]
fn a_quota_that_leaves_no_room_for_a_segment_is_a_full_storage_until_it_is_raised() {
    let (mut openings, mut appends) = (0, 0);
    for call in 1..60 {
        let disk = SimulatedDisk::new(call);
        disk.inject(Fault::FailCall { call, kind: ErrorKind::QuotaExceeded, persistent: true });
        let store = match Store::open_on(disk.clone(), small_options()) {
            Ok(store) => store,
            Err(refused) => {
                assert!(matches!(refused, OpenError::StorageFull { .. }), "call {call}: {refused:?}");
                openings += 1;
                continue;
            }
        };
        let append = || store.append(request("a-1", &[&"x".repeat(900)], Durability::Durable));
        match (0..30).find_map(|_| append().err()) {
            Some(AppendError::StorageFull { cause, .. }) => {
                assert_eq!(cause.kind(), ErrorKind::QuotaExceeded, "call {call}");
                let taken = texts(store.read(Read::all())).unwrap().len();
                disk.clear_faults();
                append().unwrap_or_else(|error| panic!("call {call}: {error}"));
                assert_eq!(texts(store.read(Read::all())).unwrap().len(), taken + 1, "call {call}");
                appends += 1;
            }
            // What is written already cannot be told from what is not: only another opening knows.
            Some(AppendError::Poisoned { cause, .. }) => assert_eq!(cause.kind(), ErrorKind::QuotaExceeded),
            outcome => panic!("call {call}: {outcome:?}"),
        }
    }
    println!("a quota was told of in {openings} openings and {appends} appends");
    assert!(openings > 3 && appends > 10, "{openings} openings, {appends} appends");
}

#[test]
fn a_disk_that_turns_read_only_at_any_call_is_still_read() {
    fail_call(ErrorKind::ReadOnlyFilesystem, true);
}

#[test]
pub(crate) fn a_failed_sync_is_never_taken_for_one_that_worked_later() {
    for persistent in [false, true] {
        let syncs = sweep(|sync| Fault::FailSync { sync, persistent }, SimulatedDisk::syncs);
        println!("{syncs} syncs failed, persistent: {persistent}");
        assert!(syncs > 40, "{syncs}");
    }
}

#[test]
fn a_write_that_stops_half_way_is_not_acknowledged() {
    let writes = sweep(|write| Fault::ShortWrite { write }, SimulatedDisk::writes);
    println!("{writes} writes were cut short");
    assert!(writes > 60, "{writes}");
}

#[test]
pub(crate) fn power_that_fails_at_any_call_leaves_no_hole_and_no_missing_segment() {
    for moment in 1.. {
        for seed in 0..6 {
            let disk = SimulatedDisk::new(seed);
            let history = History::live(disk, &Fault::PowerFailsAt { call: moment });
            history.disk.power_cut(&CrashPlan::random(moment * 100 + seed));
            history.survives_every_end(seed);
            assert_segments_follow_each_other(&history.disk, moment);
            if history.disk.calls() < moment {
                println!("the power failed at {} calls", moment - 1);
                assert!(moment > 150, "{moment}");
                return;
            }
        }
    }
}

/// The keeper makes the next spare while the first batch of a segment is not synced yet. When the power went then, the header
/// of the segment was gone and two spares were left: the second one was called a segment with a missing one before it, and
/// the store took no appends any more, though nothing was lost.
#[test]
fn power_that_fails_between_the_first_batch_of_a_segment_and_its_sync_leaves_a_store_that_goes_on() {
    let mut two_spares = 0;
    for call in 1.. {
        let disk = SimulatedDisk::new(call);
        let store = open(&disk);
        store.append(request("a-1", &[&"x".repeat(1900)], Durability::Written)).unwrap();
        let before = disk.calls();
        disk.inject(Fault::PowerFailsAt { call });
        let rolled = store.append(request("a-1", &[&"y".repeat(2000)], Durability::Durable));
        let is_over = disk.calls() - before < call;
        // The index file of the sealed segment is written after the answer: it may fail without the append.
        assert!(rolled.is_ok() || !is_over, "call {call}: {rolled:?}");
        disk.power_cut(&CrashPlan { seed: call, keep: Keep::None, granularity: Granularity::Sector });
        disk.clear_faults();
        drop(store);
        let is_spare = |name: &&String| name.ends_with(".log") && disk.image(name).iter().all(|byte| *byte == 0);
        two_spares += usize::from(disk.file_names().iter().filter(is_spare).count() == 2);
        let store = open(&disk);
        assert!(!store.recovery().is_degraded, "call {call}: {:?}", store.recovery());
        if let Ok(receipt) = rolled {
            assert!(store.reader().head() >= receipt.positions.end, "call {call}: acknowledged and lost");
        }
        for _ in 0..8 {
            store.append(request("a-1", &[&"z".repeat(1900)], Durability::Durable)).unwrap();
        }
        let found = texts(store.read(Read::all())).unwrap().len();
        store.close().unwrap();
        let store = open(&disk);
        assert!(!store.recovery().is_degraded, "call {call}: {:?}", store.recovery());
        assert_eq!(texts(store.read(Read::all())).unwrap().len(), found, "call {call}");
        if is_over {
            break;
        }
    }
    assert!(two_spares > 0, "the power never failed between the two");
}

fn assert_segments_follow_each_other(disk: &SimulatedDisk, moment: u64) {
    let names = disk.file_names();
    let segments: Vec<&String> = names.iter().filter(|name| name.ends_with(".log")).collect();
    for (ordinal, name) in segments.iter().enumerate() {
        assert!(name.starts_with(&format!("{:010}-", ordinal + 1)), "call {moment}: {names:?}");
    }
}

#[test]
fn recovery_that_is_cut_off_twice_comes_to_the_same_end() {
    let mut cuts = 0;
    for moment in (5..200).step_by(13) {
        let disk = SimulatedDisk::new(moment);
        let history = History::live(disk, &Fault::PowerFailsAt { call: moment });
        history.disk.power_cut(&CrashPlan::random(moment));
        history.disk.clear_faults();
        let whole = events_after_recovery(&history.disk.fork());
        for first in 1..40 {
            let once = history.disk.fork();
            if !is_cut_off(&once, first) {
                break;
            }
            assert_eq!(events_after_recovery(&once.fork()), whole, "call {moment}, then {first}");
            for second in (1..40).step_by(3) {
                let twice = once.fork();
                if !is_cut_off(&twice, second) {
                    break;
                }
                cuts += 1;
                assert_eq!(events_after_recovery(&twice), whole, "call {moment}, then {first}, then {second}");
            }
        }
    }
    println!("{cuts} recoveries were cut off twice");
    assert!(cuts > 500, "{cuts}");
}

/// Opens the store and cuts the power in the given call; `false` when opening took fewer calls.
fn is_cut_off(disk: &SimulatedDisk, call: u64) -> bool {
    disk.inject(Fault::PowerFailsAt { call });
    let opened = Store::open_on(disk.clone(), small_options());
    let is_cut_off = opened.is_err();
    disk.power_cut(&CrashPlan::random(call));
    drop(opened);
    disk.clear_faults();
    is_cut_off
}

fn events_after_recovery(disk: &SimulatedDisk) -> Vec<String> {
    let store = Store::open_on(disk.clone(), small_options()).unwrap();
    assert!(!store.recovery().is_degraded, "{:?}", store.recovery());
    texts(store.read(Read::all())).unwrap()
}
