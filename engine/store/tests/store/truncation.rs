//! Truncation, which removes whole segments: today the one way that a segment of a store goes away.

use crate::support::{open, request, small_options, texts};
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{Durability, OpenError, Position, Read, Reader, Store, truncate_after};

/// How many events are kept: the cut lies in the first segment.
const KEPT: u64 = 3;

/// A store of many segments, closed cleanly.
fn filled_store() -> (SimulatedDisk, Vec<String>) {
    let disk = SimulatedDisk::new(3);
    let store = open(&disk);
    let expected: Vec<String> = (0..60).map(|number| format!("event {number} {}", "x".repeat(900))).collect();
    for data in &expected {
        store.append(request("a-1", &[data], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
    (disk, expected)
}

fn segments(disk: &SimulatedDisk) -> Vec<String> {
    disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect()
}

/// What a power cut may leave: the directory's changes in any order, so that files in the middle may be the ones that went.
fn plans(seed: u64) -> Vec<CrashPlan> {
    let plan = |keep| CrashPlan { seed, keep, granularity: Granularity::Sector };
    let mut plans = vec![plan(Keep::None), plan(Keep::All), plan(Keep::Prefix)];
    plans.extend((0..12).map(|number| CrashPlan { seed: seed * 100 + number, ..plan(Keep::Some(500)) }));
    plans
}

/// The store is what it was or what was asked for, and goes on either way. Returns how many events it has.
fn is_either(disk: &SimulatedDisk, expected: &[String], what: &str) -> usize {
    let store = open(disk);
    assert!(!store.recovery().is_degraded, "{what}: {:?}", store.recovery());
    let found = texts(store.read(Read::all())).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!([KEPT, expected.len() as u64].contains(&(found.len() as u64)), "{what}: {} events", found.len());
    assert_eq!(found, expected[..found.len()], "{what}");
    for number in 0..12 {
        let data = format!("after {number} {}", "x".repeat(1500));
        store.append(request("a-1", &[&data], Durability::Durable)).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    store.close().unwrap();
    for (ordinal, name) in segments(disk).iter().enumerate() {
        assert!(name.starts_with(&format!("{:010}-", ordinal + 1)), "{what}: a hole: {:?}", segments(disk));
    }
    let verified = Reader::open_on(disk.clone()).unwrap().verify(true, &mut |_, _| {});
    assert_eq!((verified.events, verified.damage), (found.len() as u64 + 12, Vec::new()), "{what}");
    found.len()
}

#[test]
fn power_that_fails_while_segments_are_removed_leaves_either_state_and_never_a_hole() {
    let (disk, expected) = filled_store();
    let before = segments(&disk).len();
    let whole = disk.fork();
    truncate_after(&whole, Position(KEPT)).unwrap();
    let after = segments(&whole).len();
    assert!(before - after > 2, "several segments are removed: {before}, then {after}");
    let (mut kept, mut cut, mut between) = (0, 0, 0);
    for call in 1.. {
        let mut is_over = false;
        for plan in plans(call) {
            let disk = disk.fork();
            let calls = disk.calls();
            disk.inject(Fault::PowerFailsAt { call });
            let outcome = truncate_after(&disk, Position(KEPT));
            is_over = disk.calls() - calls < call;
            assert_eq!(outcome.is_ok(), is_over, "call {call}: {outcome:?}");
            disk.power_cut(&plan);
            disk.clear_faults();
            between += u64::from((after + 1..before).contains(&segments(&disk).len()));
            let what = format!("call {call}, {plan:?}");
            let found = is_either(&disk, &expected, &what);
            assert!(outcome.is_err() || found as u64 == KEPT, "{what}: it was answered and is undone");
            *(if found as u64 == KEPT { &mut cut } else { &mut kept }) += 1;
        }
        if is_over {
            break;
        }
    }
    println!("{kept} truncations were not begun, {cut} were finished, {between} were found half way");
    assert!(kept > 10 && cut > 50 && between > 10, "{kept} {cut} {between}");
}

/// What the power interrupted is finished by the next opening. Where damage has come to what was to be kept, nothing is removed.
#[test]
fn a_truncation_that_cannot_be_finished_is_refused_and_removes_nothing() {
    let (whole, _) = filled_store();
    let undisturbed = whole.fork();
    truncate_after(&undisturbed, Position(KEPT)).unwrap();
    let kept = &segments(&whole)[0];
    let header_page = |disk: &SimulatedDisk| disk.zero(kept, 0..4096);
    let batch = |disk: &SimulatedDisk| disk.flip_bit(kept, 4096 + 700, 3);
    for spoil in [&header_page as &dyn Fn(&SimulatedDisk), &batch] {
        let mut refused = 0;
        for call in 1..=undisturbed.calls() {
            let disk = whole.fork();
            disk.inject(Fault::PowerFailsAt { call });
            truncate_after(&disk, Position(KEPT)).unwrap_err();
            disk.power_cut(&CrashPlan { seed: call, keep: Keep::None, granularity: Granularity::Sector });
            disk.clear_faults();
            spoil(&disk);
            let images = || disk.file_names().into_iter().map(|name| disk.image(&name)).collect::<Vec<_>>();
            let before = images();
            let Err(error) = Store::open_on(disk.clone(), small_options()) else { continue };
            assert!(matches!(error, OpenError::Foreign { .. }), "call {call}: {error}");
            let text = error.to_string();
            assert!(text.contains("a truncation to position 3 cannot be finished"), "call {call}: {text}");
            assert!(images() == before, "call {call}: something was changed");
            refused += 1;
        }
        assert!(refused > 3, "{refused}");
    }
}
