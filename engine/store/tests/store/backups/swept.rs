//! Every call of a backup and of a restore fails once, or meets the end of the power.

use super::ground::{filled, numbers};
use crate::support::{request, small_options, texts};
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{
    BackupError, Durability, OpenError, Position, Read, Reader, RestoreError, Store, restore_on, verify_backup_on,
};
use std::io::ErrorKind;

const FIRST: u64 = 30;
const SECOND: u64 = 60;

/// A store of so many events, on a disk that meets no fault.
fn store(count: u64) -> SimulatedDisk {
    let disk = SimulatedDisk::new(7);
    grow(&disk, 0..count);
    disk
}

fn grow(disk: &SimulatedDisk, numbers: std::ops::Range<u64>) {
    let store = Store::open_on(disk.clone(), small_options()).unwrap();
    for number in numbers {
        store.append(request("s", &[&filled(number)], Durability::Durable)).unwrap();
    }
    store.close().unwrap();
}

fn back_up(store: &SimulatedDisk, to: &SimulatedDisk) -> Result<Position, BackupError> {
    let report = Reader::open_on(store.clone()).unwrap().backup_on(to.clone(), &mut |_, _| {})?;
    assert_eq!(report.damage, []);
    Ok(report.head)
}

/// The positions up to which there is a whole backup, each byte of which was read.
fn whole_up_to(backup: &SimulatedDisk) -> Result<Position, RestoreError> {
    let verified = verify_backup_on(backup, true, &mut |_, _| {})?;
    assert_eq!((verified.report.damage, verified.report.events), (vec![], verified.head.0));
    let restored = SimulatedDisk::new(1);
    assert_eq!(restore_on(backup, &restored, &mut |_, _| {})?, verified.head);
    assert_eq!(events(&restored), numbers(0..verified.head.0));
    Ok(verified.head)
}

fn events(store: &SimulatedDisk) -> Vec<String> {
    texts(Reader::open_on(store.clone()).unwrap().read(Read::all())).unwrap()
}

/// A backup, a store that grows, and a second run into the same place, the fault on the backup's disk.
struct Course {
    store: SimulatedDisk,
    to: SimulatedDisk,
    /// Up to where a run said that the backup is whole.
    acknowledged: Option<Position>,
}

impl Course {
    fn run(stores: &[SimulatedDisk; 2], fault: Fault) -> Self {
        let to = SimulatedDisk::new(3);
        to.inject(fault);
        let mut acknowledged = None;
        for store in stores {
            match back_up(store, &to) {
                Ok(head) => acknowledged = Some(head),
                Err(BackupError::Io { .. } | BackupError::StorageFull { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        to.clear_faults();
        Self { store: stores[1].fork(), to, acknowledged }
    }

    /// Whatever was said to be whole is, or a later one; and a further run makes it whole up to the end.
    fn holds(&self, to: &SimulatedDisk, what: &str) {
        match (whole_up_to(to), self.acknowledged) {
            (Ok(head), acknowledged) => assert!(Some(head) >= acknowledged, "{what}: {head} of {acknowledged:?}"),
            (Err(RestoreError::Partial { .. } | RestoreError::NotFound { .. }), None) => {}
            (Err(error), acknowledged) => panic!("{what}: {error:?}, acknowledged {acknowledged:?}"),
        }
        assert_eq!(back_up(&self.store, to).unwrap(), Position(SECOND), "{what}");
        assert_eq!(whole_up_to(to).unwrap(), Position(SECOND), "{what}");
    }
}

/// The same store twice, the second time grown.
fn two_stores() -> [SimulatedDisk; 2] {
    let first = store(FIRST);
    let second = first.fork();
    grow(&second, FIRST..SECOND);
    [first, second]
}

/// Runs the course with the fault at each moment until one passes unharmed; `look` is shown each. Returns how many there are.
fn sweep(fault: impl Fn(u64) -> Fault, count: impl Fn(&SimulatedDisk) -> u64, look: impl Fn(&Course, u64)) -> u64 {
    let stores = two_stores();
    for moment in 1.. {
        let course = Course::run(&stores, fault(moment));
        look(&course, moment);
        if count(&course.to) < moment {
            assert_eq!(course.acknowledged, Some(Position(SECOND)), "no fault was met at {moment}");
            return moment - 1;
        }
    }
    unreachable!("a course has an end")
}

fn plans(seed: u64) -> [CrashPlan; 4] {
    let plan = |keep| CrashPlan { seed, keep, granularity: Granularity::Sector };
    [plan(Keep::None), plan(Keep::All), CrashPlan::random(seed), CrashPlan::random(seed + 1)]
}

#[test]
fn power_that_fails_at_any_call_of_a_backup_leaves_the_one_before_whole() {
    let calls = sweep(
        |call| Fault::PowerFailsAt { call },
        SimulatedDisk::calls,
        |course, moment| {
            for plan in plans(moment) {
                let to = course.to.fork();
                to.power_cut(&plan);
                course.holds(&to, &format!("call {moment}, {plan:?}"));
            }
        },
    );
    println!("the power failed at {calls} calls of two backups");
    assert!(calls > 80, "{calls}");
}

#[test]
fn any_call_of_a_backup_that_fails_costs_neither_the_one_before_nor_the_next() {
    for (kind, persistent) in [(ErrorKind::Other, false), (ErrorKind::Other, true), (ErrorKind::StorageFull, false)] {
        let calls = sweep(
            |call| Fault::FailCall { call, kind, persistent },
            SimulatedDisk::calls,
            |course, moment| {
                let what = format!("call {moment} failed with {kind}, persistent: {persistent}");
                course.holds(&course.to.fork(), &what);
                for plan in plans(moment) {
                    let to = course.to.fork();
                    to.power_cut(&plan);
                    course.holds(&to, &format!("{what}, {plan:?}"));
                }
            },
        );
        assert!(calls > 80, "{calls}");
    }
}

#[test]
fn power_that_fails_at_any_call_of_a_restore_leaves_the_whole_store_or_none() {
    let backup = SimulatedDisk::new(3);
    back_up(&store(SECOND), &backup).unwrap();
    let mut refused = 0;
    for call in 1.. {
        let disk = SimulatedDisk::new(call);
        disk.inject(Fault::PowerFailsAt { call });
        let restored = restore_on(&backup, &disk, &mut |_, _| {});
        let is_over = disk.calls() < call;
        for plan in plans(call) {
            let disk = disk.fork();
            disk.power_cut(&plan);
            disk.clear_faults();
            match Store::open_on(disk.clone(), small_options()) {
                Ok(store) => {
                    // A directory with nothing in it may as well become a new store.
                    let is_restored = store.reader().head() == Position(SECOND);
                    assert!(is_restored || (restored.is_err() && store.reader().head() == Position::START));
                    store.close().unwrap();
                    assert_eq!(
                        events(&disk),
                        numbers(0..if is_restored { SECOND } else { 0 }),
                        "call {call}, {plan:?}"
                    );
                }
                Err(OpenError::ManifestDamaged { .. }) if restored.is_err() => refused += 1,
                Err(error) => panic!("call {call}, {plan:?}: {error:?}"),
            }
        }
        if is_over {
            assert_eq!(restored.unwrap(), Position(SECOND));
            println!("the power failed at {} calls of a restore; {refused} times there was no store", call - 1);
            assert!(call > 50 && refused > 50, "{call} {refused}");
            return;
        }
    }
}
