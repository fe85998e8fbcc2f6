//! Backups that are partial, damaged, or made of a damaged store or on a full disk.

use super::ground::{Ground, append, back_up, content_files, events, numbers, replace};
use crate::mounted::Mounted;
use gesta::{BackupError, Position, RestoreError, backup, restore, verify_backup};
use std::fs;
use std::path::Path;

/// What is done to a file.
type Mischief = fn(&Path);

#[test]
fn every_file_that_is_damaged_missing_or_cut_is_named_by_verify_and_no_event_of_it_restored() {
    let ground = Ground::backed_up();
    let backup = ground.path("backup");
    let files = content_files(&backup);
    assert!(["log", "idx", "tail"].iter().all(|end| files.iter().any(|name| name.ends_with(end))), "{files:?}");
    let mischiefs: [(&str, Mischief); 4] = [
        ("a bit flipped", |path| {
            let mut bytes = fs::read(path).unwrap();
            // Beyond what a batch covers as well: any byte may be the one.
            let at = bytes.len() - 1;
            bytes[at] ^= 4;
            replace(path, &bytes);
        }),
        ("cut", |path| {
            let bytes = fs::read(path).unwrap();
            replace(path, &bytes[..bytes.len() / 2]);
        }),
        ("empty", |path| replace(path, &[])),
        ("missing", |path| fs::remove_file(path).unwrap()),
    ];
    for name in &files {
        let path = backup.join(name);
        let whole = fs::read(&path).unwrap();
        for (mischief, make) in mischiefs {
            make(&path);
            let verified = verify_backup(&backup, false, &mut |_, _| {}).unwrap();
            let first = &verified.report.damage[0];
            assert_eq!(first.file, path.display().to_string(), "{mischief}: {first}");
            if name.ends_with("idx") {
                // The store makes it anew.
                ground.restored("backup", "restored").unwrap();
                assert_eq!(events(&ground.path("restored")), numbers(0..60));
                fs::remove_dir_all(ground.path("restored")).unwrap();
            } else {
                let error = ground.restored("backup", "restored").unwrap_err();
                assert!(
                    matches!(&error, RestoreError::Damaged { path: named, .. } if *named == first.file),
                    "{error:?}"
                );
                assert!(!ground.path("restored").exists(), "{mischief}: nothing is left behind");
            }
            replace(&path, &whole);
        }
    }
    assert_eq!(verify_backup(&backup, true, &mut |_, _| {}).unwrap().report.damage, []);
    ground.restored("backup", "restored").unwrap();
}

#[test]
fn a_damaged_segment_is_told_with_the_positions_that_are_lost() {
    let ground = Ground::backed_up();
    let path = ground.path("backup").join("0000000002-0000.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000] ^= 1;
    replace(&path, &bytes);
    let report = verify_backup(ground.path("backup"), false, &mut |_, _| {}).unwrap().report;
    assert!(report.damage.len() == 2 && report.damage[0].what.contains("digest"), "{report:?}");
    let lost = &report.damage[1].positions;
    assert_eq!(report.events + (lost.end.0 - lost.start.0), 60);
}

#[test]
fn a_backup_without_a_whole_copy_of_its_manifest_is_named_by_all_three() {
    let ground = Ground::backed_up();
    let [path, copy] = ["backup", "backup.copy"].map(|name| ground.path("backup").join(name));
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[100] ^= 1;
    for bytes in [&flipped[..], &whole[..whole.len() - 1], b"notes", b""] {
        fs::write(&path, bytes).unwrap();
        fs::write(&copy, bytes).unwrap();
        let named = |error: RestoreError| {
            assert!(
                matches!(&error, RestoreError::Damaged { path: named, .. } if *named == path.display().to_string())
            );
        };
        named(verify_backup(ground.path("backup"), false, &mut |_, _| {}).unwrap_err());
        named(ground.restored("backup", "restored").unwrap_err());
        let error = backup(ground.path("store"), ground.path("backup"), &mut |_, _| {}).unwrap_err();
        assert!(matches!(error, BackupError::Damaged { .. }), "{error:?}");
        assert_eq!([fs::read(&path).unwrap(), fs::read(&copy).unwrap()], [bytes, bytes], "left as they were");
    }
}

#[test]
fn of_the_two_copies_of_the_manifest_one_is_enough_and_the_next_run_makes_the_other_anew() {
    let ground = Ground::backed_up();
    let backup = ground.path("backup");
    for (ordinal, name) in ["backup", "backup.copy"].into_iter().enumerate() {
        let path = backup.join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[100] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let damage = verify_backup(&backup, false, &mut |_, _| {}).unwrap().report.damage;
        assert_eq!(damage.iter().map(|damage| &damage.file).collect::<Vec<_>>(), [&path.display().to_string()]);
        let to = format!("restored-{ordinal}");
        ground.restored("backup", &to).unwrap();
        assert_eq!(events(&ground.path(&to)), numbers(0..60));
        back_up(&ground.path("store"), &backup);
        assert_eq!(verify_backup(&backup, false, &mut |_, _| {}).unwrap().report.damage, []);
    }
}

/// Makes a backup and leaves the process's thread in the middle of it, as a kill would.
fn interrupt(store: &Path, to: &Path, at: u64) {
    let result =
        std::panic::catch_unwind(|| backup(store, to, &mut |done, _| assert!(done < at, "the test ends the run here")));
    assert!(result.is_err(), "it was over before {at} bytes");
}

#[test]
fn an_interrupted_first_run_is_partial_and_a_second_one_finishes_it() {
    let ground = Ground::new();
    let store = ground.store();
    append(&store, 0..60);
    store.close().unwrap();
    for at in [1, 20_000, 30_000] {
        interrupt(&ground.path("store"), &ground.path("backup"), at);
        for error in [
            verify_backup(ground.path("backup"), false, &mut |_, _| {}).unwrap_err(),
            ground.restored("backup", "restored").unwrap_err(),
        ] {
            assert!(matches!(error, RestoreError::Partial { .. }), "{error:?}");
            assert!(error.to_string().contains("partial"), "{error}");
        }
        assert!(!ground.path("restored").exists());
    }
    back_up(&ground.path("store"), &ground.path("backup"));
    assert!(!ground.path("backup").join("backup.begun").exists());
    ground.restored("backup", "restored").unwrap();
    assert_eq!(events(&ground.path("restored")), numbers(0..60));
}

#[test]
fn an_interrupted_second_run_leaves_the_first_backup_whole() {
    let ground = Ground::backed_up();
    let store = ground.store();
    append(&store, 60..120);
    store.close().unwrap();
    for (ordinal, at) in [1, 9_000, 30_000].into_iter().enumerate() {
        interrupt(&ground.path("store"), &ground.path("backup"), at);
        let verified = verify_backup(ground.path("backup"), true, &mut |_, _| {}).unwrap();
        assert_eq!((verified.head, verified.report.damage), (Position(60), vec![]));
        let to = format!("restored-{ordinal}");
        ground.restored("backup", &to).unwrap();
        assert_eq!(events(&ground.path(&to)), numbers(0..60));
    }
    back_up(&ground.path("store"), &ground.path("backup"));
    ground.restored("backup", "restored").unwrap();
    assert_eq!(events(&ground.path("restored")), numbers(0..120));
}

#[test]
fn damage_in_the_store_is_told_when_it_is_backed_up_and_the_rest_is_in_the_backup() {
    let ground = Ground::backed_up();
    let path = ground.path("store").join("0000000002-0000.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[5000] ^= 1;
    replace(&path, &bytes);
    let report = backup(ground.path("store"), ground.path("new"), &mut |_, _| {}).unwrap();
    assert_eq!(report.damage.len(), 1, "{report:?}");
    let held = ground.path("new").join("0000000002-0000.log");
    assert_eq!(report.damage[0].file, held.display().to_string());
    assert_eq!(ground.restored("new", "restored").unwrap(), Position(60));
    // The earlier backup has a good copy and keeps it.
    let again = back_up(&ground.path("store"), &ground.path("backup"));
    assert_eq!(again.linked + again.copied, 0);
    assert_eq!(verify_backup(ground.path("backup"), true, &mut |_, _| {}).unwrap().report.damage, []);
}

#[test]
fn a_missing_file_of_a_backup_is_added_again() {
    let ground = Ground::backed_up();
    let path = ground.path("backup").join("0000000002-0000.log");
    fs::remove_file(&path).unwrap();
    let report = back_up(&ground.path("store"), &ground.path("backup"));
    assert_eq!((report.linked, report.copied), (1, 0));
    assert_eq!(verify_backup(ground.path("backup"), true, &mut |_, _| {}).unwrap().report.damage, []);
}

// The keeper makes an index file anew when it is damaged. A later run that took the new one in its place would leave the
// earlier backup without the file that it names, until it has finished.
#[test]
fn an_index_file_that_was_made_anew_does_not_take_the_place_of_the_one_in_the_backup() {
    let ground = Ground::backed_up();
    let (held, index) = (ground.path("backup").join("0000000001-0000.idx"), "0000000001-0000.idx");
    let before = fs::read(&held).unwrap();
    let mut longer = before.clone();
    longer.extend_from_slice(&[0; 4096]);
    replace(&ground.path("store").join(index), &longer);
    let report = back_up(&ground.path("store"), &ground.path("backup"));
    assert_eq!(report.linked + report.copied, 0);
    assert!(fs::read(&held).unwrap() == before);
    assert_eq!(verify_backup(ground.path("backup"), true, &mut |_, _| {}).unwrap().report.damage, []);
}

#[test]
fn a_full_disk_is_named_and_costs_neither_the_earlier_backup_nor_the_store() {
    let Some(small) = Mounted::in_memory("256k") else { return };
    let ground = Ground::new();
    let (store, to) = (ground.store(), small.path().join("backup"));
    append(&store, 0..20);
    store.reader().backup(&to, &mut |_, _| {}).unwrap();
    append(&store, 20..1000);
    let error = store.reader().backup(&to, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::StorageFull { .. }) && error.to_string().contains("no room"), "{error:?}");
    let verified = verify_backup(&to, true, &mut |_, _| {}).unwrap();
    assert_eq!((verified.head, verified.report.damage), (Position(20), vec![]));
    store.reader().backup(ground.path("large"), &mut |_, _| {}).unwrap();
    fs::remove_dir_all(&to).unwrap();
    let error = restore(ground.path("large"), small.path().join("restored"), &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, RestoreError::StorageFull { .. }), "{error:?}");
    assert!(!small.path().join("restored").exists(), "nothing is left behind");
    append(&store, 1000..1001);
    store.close().unwrap();
}

#[test]
fn an_index_file_that_changes_or_goes_during_a_run_costs_no_backup() {
    let ground = Ground::backed_up();
    let idx = |number: u64| ground.path("store").join(format!("{number:010}-0000.idx"));
    let mut is_first = true;
    let report = backup(ground.path("store"), ground.path("new"), &mut |_, _| {
        if std::mem::take(&mut is_first) {
            fs::remove_file(idx(1)).unwrap();
            let mut longer = fs::read(idx(2)).unwrap();
            longer.extend_from_slice(&[0; 4096]);
            replace(&idx(2), &longer);
        }
    });
    assert_eq!(report.unwrap().damage, []);
    assert_eq!(verify_backup(ground.path("new"), true, &mut |_, _| {}).unwrap().report.damage, []);
    assert_eq!(ground.restored("new", "restored").unwrap(), Position(60));
    assert_eq!(events(&ground.path("restored")), numbers(0..60));
}

#[test]
fn new_damage_is_told_beside_a_segment_that_has_rotted_in_the_backup() {
    let ground = Ground::backed_up();
    let store = ground.store();
    append(&store, 60..120);
    store.close().unwrap();
    let rotten = ground.path("backup").join("0000000001-0000.log");
    let mut bytes = fs::read(&rotten).unwrap();
    bytes[0] ^= 1;
    replace(&rotten, &bytes);
    let new = ground.path("store").join("0000000006-0000.log");
    let mut bytes = fs::read(&new).unwrap();
    bytes[5000] ^= 1;
    replace(&new, &bytes);
    let report = backup(ground.path("store"), ground.path("backup"), &mut |_, _| {}).unwrap();
    let told = report.damage.iter().filter(|damage| damage.file.ends_with("0000000006-0000.log")).count();
    assert_eq!(told, 1, "{report:?}");
}
