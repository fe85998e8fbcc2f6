//! Snapshots of deciders: they make a command begin later, and change nothing else.

use super::bank::{Bank, Command, Refusal};
use super::support::TestStore;
use gesta::{EventReader, EventStore, Position, Snapshot, SnapshotKey, Store};
use gesta_cqrs::{CommandHandler, HandleError, SnapshotOutcome, SnapshotPolicy};
use std::sync::Arc;
use std::time::Duration;

fn handler(test: &TestStore, policy: SnapshotPolicy) -> CommandHandler<Arc<Store>, Bank> {
    CommandHandler::new(Arc::clone(&test.store)).snapshots(policy)
}

fn policy() -> SnapshotPolicy {
    SnapshotPolicy::new("account", 1).every_events(5)
}

fn deposit(handler: &CommandHandler<Arc<Store>, Bank>, cents: u64) -> SnapshotOutcome {
    handler.handle(&Command::Deposit { account: 1, cents }).unwrap().snapshot
}

/// The one snapshot that is kept.
fn kept(test: &TestStore) -> Option<Snapshot> {
    let key = SnapshotKey::new("account/account-1").unwrap();
    let loaded = EventReader::load(&*test.store, &key, 1, gesta::Selection::Everything).unwrap();
    loaded.snapshot
}

#[test]
fn a_state_is_saved_every_so_many_events() {
    let test = TestStore::new();
    let handler = handler(&test, policy());
    handler.handle(&Command::Open { account: 1 }).unwrap();
    let outcomes: Vec<_> = (0..12).map(|_| matches!(deposit(&handler, 1), SnapshotOutcome::Saved)).collect();
    let due = [false, false, false, false, true, false, false, false, false, true, false, false];
    assert_eq!(outcomes, due);
    let snapshot = kept(&test).unwrap();
    assert_eq!(snapshot.position, Position(10));
    assert_eq!(snapshot.data, br#"{"revisions":{"account-1":9},"state":{"1":9}}"#);
}

#[test]
fn size_and_time_make_one_due_as_well() {
    let test = TestStore::new();
    let by_size = handler(&test, SnapshotPolicy::new("account", 1).every_bytes(300));
    by_size.handle(&Command::Open { account: 1 }).unwrap();
    let saved = (0..8).filter(|_| matches!(deposit(&by_size, 1), SnapshotOutcome::Saved)).count();
    assert!((1..8).contains(&saved), "{saved} of 8");
    let by_time = handler(&test, SnapshotPolicy::new("account", 1).when_loading_takes(Duration::ZERO));
    assert!(matches!(deposit(&by_time, 1), SnapshotOutcome::Saved));
    let never = handler(&test, SnapshotPolicy::new("account", 1).when_loading_takes(Duration::from_secs(3600)));
    assert!(matches!(deposit(&never, 1), SnapshotOutcome::NotDue));
}

#[test]
fn commands_are_answered_alike_with_snapshots_that_come_and_go() {
    let (with, without) = (TestStore::new(), TestStore::new());
    let snapshotting = handler(&with, SnapshotPolicy::new("account", 1).every_events(3));
    let plain = CommandHandler::<_, Bank>::new(Arc::clone(&without.store));
    let mut random = 7_u64;
    let mut next = |below: u32| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((random >> 33) % u64::from(below)).unwrap()
    };
    let mut saved = 0;
    for _ in 0..400 {
        let (from, to) = (next(4), next(4));
        let command = match next(8) {
            0 => Command::Open { account: from },
            1..4 => Command::Deposit { account: from, cents: next(100).into() },
            _ if from != to => Command::Transfer { from, to, cents: next(100).into() },
            _ => continue,
        };
        let mut outcome = |handled: Result<gesta_cqrs::Handled<_>, HandleError<Refusal>>| match handled {
            Ok(handled) => {
                saved += u32::from(matches!(handled.snapshot, SnapshotOutcome::Saved));
                Ok((handled.events, handled.receipt.unwrap().positions))
            }
            Err(HandleError::Refused(refusal)) => Err(refusal),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(outcome(snapshotting.handle(&command)), outcome(plain.handle(&command)), "{command:?}");
        if next(10) == 0 {
            EventStore::drop_snapshots(&*with.store, "").unwrap();
        }
    }
    assert!(saved > 20, "only {saved} snapshots were saved");
    assert_eq!(with.events(), without.events());
}

#[test]
fn a_snapshot_of_another_schema_or_of_nonsense_is_not_looked_at() {
    let test = TestStore::new();
    let first = handler(&test, policy());
    first.handle(&Command::Open { account: 1 }).unwrap();
    (0..6).for_each(|_| drop(deposit(&first, 10)));
    let key = SnapshotKey::new("account/account-1").unwrap();
    let forged = Snapshot { key, schema: 2, position: Position(7), data: br#"{"revisions":{},"state":7}"#.to_vec() };
    EventStore::save_snapshot(&*test.store, forged).unwrap();
    let second = handler(&test, SnapshotPolicy::new("account", 2).every_events(1000));
    let transfer = Command::Transfer { from: 1, to: 1, cents: 61 };
    for handler in [&first, &second] {
        let refused = handler.handle(&transfer).unwrap_err();
        let is_known = matches!(refused, HandleError::Refused(Refusal::NotEnough { cents: 60, .. }));
        assert!(is_known, "{refused}");
    }
}
