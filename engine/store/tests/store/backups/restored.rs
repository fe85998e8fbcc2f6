//! Restoring: the same store at an earlier time, in an empty directory only.

use super::ground::{Ground, append, back_up, contents, events, numbers};
use crate::support::{request, small_options};
use gesta::{
    AppendRequest, Durability, Event, EventType, OpenError, Options, Position, RestoreError, Store, StreamName,
    restore, truncate_after, verify, verify_backup,
};
use std::fs;

#[test]
fn a_backup_is_the_same_store_at_an_earlier_time() {
    let ground = Ground::backed_up();
    let store = ground.store();
    let (id, given_in) = (store.id(), store.incarnation());
    let beyond = store.append(request("s", &["beyond"], Durability::Durable)).unwrap();
    store.close().unwrap();

    assert_eq!(ground.restored("backup", "restored").unwrap(), Position(60));
    assert_eq!(events(&ground.path("restored")), numbers(0..60));
    assert_eq!(verify(ground.path("restored"), true, &mut |_, _| {}).unwrap().damage, []);
    let restored = Store::open(ground.path("restored"), small_options()).unwrap();
    assert!(!restored.recovery().is_degraded && restored.recovery().damage.is_empty(), "{:?}", restored.recovery());
    assert_eq!(restored.id(), id);
    assert!(
        restored.is_lost(given_in, beyond.positions.start)
            && restored.is_lost(beyond.incarnation, beyond.positions.start)
    );
    assert!(!restored.is_lost(given_in, Position(59)));
    append(&restored, 60..100);
    let last = restored.append(request("s", &["last"], Durability::Durable)).unwrap();
    assert!(!restored.is_lost(last.incarnation, last.positions.start));
    restored.close().unwrap();
    let mut expected = numbers(0..100);
    expected.push("last".to_owned());
    assert_eq!(events(&ground.path("restored")), expected);
    assert_eq!(verify(ground.path("restored"), true, &mut |_, _| {}).unwrap().damage, []);
}

// Lives are numbered on in every copy of a store by itself: a position given out by the first restored store must not pass
// for one of the second.
#[test]
fn what_later_lives_and_other_restored_stores_gave_out_is_lost_as_well() {
    let ground = Ground::backed_up();
    let mut given = Vec::new();
    for _ in 0..5 {
        let store = ground.store();
        let receipt = store.append(request("s", &["beyond"], Durability::Durable)).unwrap();
        given.push((receipt.incarnation, receipt.positions.start));
    }
    ground.restored("backup", "first").unwrap();
    let first = Store::open(ground.path("first"), small_options()).unwrap();
    let receipt = first.append(request("s", &["of the first"], Durability::Durable)).unwrap();
    given.push((receipt.incarnation, receipt.positions.start));
    first.close().unwrap();
    // The number of a life comes from the clock, in seconds.
    std::thread::sleep(std::time::Duration::from_secs(2));
    ground.restored("backup", "second").unwrap();
    let second = Store::open(ground.path("second"), small_options()).unwrap();
    append(&second, 60..70);
    for (incarnation, position) in given {
        assert!(second.is_lost(incarnation, position), "{incarnation:?} {position}");
    }
}

#[test]
fn an_empty_store_is_backed_up_and_restored() {
    let ground = Ground::new();
    ground.store().close().unwrap();
    let report = back_up(&ground.path("store"), &ground.path("backup"));
    assert_eq!((report.head, report.linked + report.copied, report.bytes), (Position(0), 0, 0));
    assert_eq!(ground.restored("backup", "restored").unwrap(), Position(0));
    let restored = Store::open(ground.path("restored"), small_options()).unwrap();
    append(&restored, 0..30);
    restored.close().unwrap();
    assert_eq!(events(&ground.path("restored")), numbers(0..30));
}

#[test]
fn cutting_a_store_does_not_reach_its_backup() {
    let ground = Ground::backed_up();
    let disk = gesta::disk::RealDisk::open(ground.path("store")).unwrap();
    truncate_after(&disk, Position(3)).unwrap();
    assert_eq!(events(&ground.path("store")), numbers(0..3));
    assert_eq!(verify_backup(ground.path("backup"), true, &mut |_, _| {}).unwrap().report.damage, []);
    ground.restored("backup", "restored").unwrap();
    assert_eq!(events(&ground.path("restored")), numbers(0..60));
    let store = ground.store();
    append(&store, 100..103);
    store.close().unwrap();
    assert_eq!(events(&ground.path("store")), [numbers(0..3), numbers(100..103)].concat());
}

#[test]
fn a_store_is_restored_into_an_empty_directory_only() {
    let ground = Ground::backed_up();
    for name in ["store", "backup", "folder"] {
        if name == "folder" {
            fs::create_dir_all(ground.path("folder/inside")).unwrap();
            let error = ground.restored("backup", name).unwrap_err();
            assert!(matches!(&error, RestoreError::NotEmpty { found, .. } if found == "inside"), "{error:?}");
            assert!(ground.path("folder/inside").is_dir());
            continue;
        }
        let before = contents(&ground.path(name));
        let error = ground.restored("backup", name).unwrap_err();
        assert!(matches!(error, RestoreError::NotEmpty { .. }), "{error:?}");
        assert!(contents(&ground.path(name)) == before, "{name}");
    }
    fs::create_dir(ground.path("empty")).unwrap();
    assert_eq!(ground.restored("backup", "empty").unwrap(), Position(60));
    for name in ["nowhere", "store"] {
        let error = ground.restored(name, "restored").unwrap_err();
        assert!(matches!(error, RestoreError::NotFound { .. }), "{error:?}");
    }
}

#[test]
fn event_ids_are_found_in_a_restored_store() {
    let ground = Ground::new();
    let options = Options { index_event_ids: true, ..small_options() };
    let store = Store::open(ground.path("store"), options.clone()).unwrap();
    append(&store, 0..60);
    let id = gesta::Uuid::from_u128(7);
    let event = Event::new(EventType::new("Named").unwrap()).stream(StreamName::new("n").unwrap()).id(id);
    store.append(AppendRequest::new().event(event)).unwrap();
    store.close().unwrap();
    back_up(&ground.path("store"), &ground.path("backup"));
    ground.restored("backup", "restored").unwrap();
    let restored = Store::open(ground.path("restored"), options).unwrap();
    assert!(restored.reader().event(id).unwrap().is_some());
}

#[test]
fn nobody_makes_a_store_where_another_is_restored() {
    let ground = Ground::backed_up();
    let mut tried = 0;
    let restored = restore(ground.path("backup"), ground.path("restored"), &mut |_, _| {
        tried += 1;
        let refused = Store::open(ground.path("restored"), small_options()).err();
        assert!(matches!(refused, Some(OpenError::Locked { .. } | OpenError::ManifestDamaged { .. })), "{refused:?}");
        let error = restore(ground.path("backup"), ground.path("restored"), &mut |_, _| {}).unwrap_err();
        assert!(matches!(error, RestoreError::NotEmpty { .. }), "{error:?}");
    });
    assert_eq!(restored.unwrap(), Position(60));
    assert!(tried > 3);
    assert_eq!(events(&ground.path("restored")), numbers(0..60));
}

// The tail that the first manifest names is gone once a second run has finished.
#[test]
fn a_run_that_finishes_under_a_restore_or_a_verification_costs_neither() {
    let ground = Ground::backed_up();
    let store = ground.store();
    let mut done = 60;
    let mut run_once_more = |is_due: &mut bool| {
        if std::mem::take(is_due) {
            append(&store, done..done + 30);
            done += 30;
            back_up(&ground.path("store"), &ground.path("backup"));
        }
    };
    let mut is_due = true;
    let verified = verify_backup(ground.path("backup"), true, &mut |_, _| run_once_more(&mut is_due)).unwrap();
    assert_eq!(verified.report.damage, []);
    let mut is_due = true;
    let restored = restore(ground.path("backup"), ground.path("restored"), &mut |_, _| run_once_more(&mut is_due));
    let head = restored.unwrap().0;
    assert!(head > 60, "{head}");
    assert_eq!(events(&ground.path("restored")), numbers(0..head));
    store.close().unwrap();
}
