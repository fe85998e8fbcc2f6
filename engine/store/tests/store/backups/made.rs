//! Making backups: beside a writer, again, across file systems, and what is refused.

use super::ground::{Ground, append, back_up, content_files, contents, events, filled, numbers};
use crate::mounted::Mounted;
use crate::support::{request, small_options, texts};
use gesta::{BackupError, Durability, OpenError, Options, Read, Reader, Store, Upkeep, backup, restore, verify_backup};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[test]
fn a_backup_beside_a_writer_holds_what_was_durable_when_it_began() {
    let ground = Ground::new();
    let options = Options { upkeep: Upkeep::Threads, ..small_options() };
    let store = Store::open(ground.path("store"), options).unwrap();
    let (acknowledged, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                store.append(request("s", &[&filled(number)], Durability::Durable)).unwrap();
                acknowledged.store(number + 1, Ordering::SeqCst);
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        for run in 0..6_u64 {
            while acknowledged.load(Ordering::SeqCst) < 40 * (run + 1) {
                std::thread::yield_now();
            }
            let before = acknowledged.load(Ordering::SeqCst);
            // By the writer's own reader, and as another process would.
            let report = if run % 2 == 0 {
                let report = store.reader().backup(ground.path("backup"), &mut |_, _| {}).unwrap();
                assert!(report.head.0 >= before, "{report:?} of {before}");
                report
            } else {
                back_up(&ground.path("store"), &ground.path(&format!("backup-{run}")))
            };
            assert_eq!(report.damage, []);
            let from = if run % 2 == 0 { "backup".to_owned() } else { format!("backup-{run}") };
            let to = format!("restored-{run}");
            assert_eq!(ground.restored(&from, &to).unwrap(), report.head);
            assert!(events(&ground.path(&to)) == numbers(0..report.head.0), "run {run}");
            let verified = verify_backup(ground.path(&from), true, &mut |_, _| {}).unwrap();
            assert_eq!((verified.report.damage, verified.report.events), (vec![], report.head.0));
            Store::open(ground.path(&to), small_options()).unwrap().close().unwrap();
        }
        is_over.store(true, Ordering::SeqCst);
    });
    store.close().unwrap();
}

#[test]
fn a_second_run_adds_only_what_is_new() {
    let ground = Ground::new();
    let (store, to) = (ground.store(), ground.path("backup"));
    append(&store, 0..60);
    let first = store.reader().backup(&to, &mut |_, _| {}).unwrap();
    assert!(first.linked > 2 && first.copied == 1 && first.kept == 0, "{first:?}");
    // Nothing is new.
    let again = store.reader().backup(&to, &mut |_, _| {}).unwrap();
    assert_eq!((again.linked, again.copied, again.kept), (0, 0, first.linked + 1));
    assert_eq!((again.added_bytes, again.bytes), (0, first.bytes));
    // The tail has grown, and is no longer the tail.
    let before = contents(&to);
    append(&store, 60..120);
    let second = store.reader().backup(&to, &mut |_, _| {}).unwrap();
    assert!(second.linked > 2 && second.copied == 1, "{second:?}");
    assert_eq!(second.kept, first.linked);
    let tails = content_files(&to).into_iter().filter(|name| name.ends_with(".tail")).count();
    assert_eq!(tails, 1, "the old tail is gone");
    for (name, content) in before.iter().filter(|(name, _)| name.ends_with(".log")) {
        assert!(contents(&to)[name] == *content, "{name}");
        let inode = |path: PathBuf| fs::metadata(path).unwrap().ino();
        assert_eq!(inode(to.join(name)), inode(ground.path("store").join(name)), "{name} is linked");
    }
    store.close().unwrap();
    ground.restored("backup", "restored").unwrap();
    assert_eq!(events(&ground.path("restored")), numbers(0..120));
}

#[test]
fn across_file_systems_files_are_copied_and_a_second_run_adds_only_what_is_new() {
    let Some(elsewhere) = Mounted::in_memory("16m") else { return };
    let ground = Ground::new();
    let (store, to) = (ground.store(), elsewhere.path().join("backup"));
    append(&store, 0..60);
    let first = store.reader().backup(&to, &mut |_, _| {}).unwrap();
    assert!(first.linked == 0 && first.copied > 3, "{first:?}");
    append(&store, 60..90);
    let second = store.reader().backup(&to, &mut |_, _| {}).unwrap();
    assert_eq!((second.linked, second.kept), (0, first.copied - 1));
    store.close().unwrap();
    restore(&to, ground.path("restored"), &mut |_, _| {}).unwrap();
    assert_eq!(events(&ground.path("restored")), numbers(0..90));
}

#[test]
fn what_is_not_a_backup_of_the_store_is_refused_and_left_as_it_was() {
    let ground = Ground::backed_up();
    let other = Store::open(ground.path("other"), small_options()).unwrap();
    append(&other, 0..20);
    other.close().unwrap();
    fs::create_dir(ground.path("notes")).unwrap();
    fs::write(ground.path("notes").join("notes.txt"), "mine").unwrap();
    // A store that has lost its manifest, whose segments look like those of a backup.
    fs::create_dir(ground.path("bare")).unwrap();
    fs::copy(ground.path("store").join("0000000001-0000.log"), ground.path("bare").join("0000000001-0000.log"))
        .unwrap();
    let refusal = |to: &str| {
        let before = contents(&ground.path(to));
        let error = backup(ground.path("other"), ground.path(to), &mut |_, _| {}).unwrap_err();
        assert!(contents(&ground.path(to)) == before, "{to}");
        error
    };
    assert!(matches!(refusal("backup"), BackupError::OtherStore { .. }));
    for (to, expected) in [("notes", "notes.txt"), ("bare", "0000000001-0000.log")] {
        let error = refusal(to);
        assert!(matches!(&error, BackupError::Occupied { found, .. } if found == expected), "{error:?}");
    }
    // Into itself.
    assert!(matches!(refusal("other"), BackupError::Occupied { .. }));
    let error = backup(ground.path("nowhere"), ground.path("never"), &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, BackupError::Open(OpenError::NotFound { .. })), "{error:?}");
    assert!(!ground.path("never").exists());
}

#[test]
fn a_backup_with_events_that_the_store_lost_is_not_replaced() {
    let ground = Ground::backed_up();
    ground.restored("backup", "restored").unwrap();
    let store = ground.store();
    append(&store, 60..64);
    store.close().unwrap();
    back_up(&ground.path("store"), &ground.path("backup"));
    // The restored store is behind the backup, then beside it.
    for (range, marker) in [(60..62, "reaches"), (62..200, "segment")] {
        let restored = Store::open(ground.path("restored"), small_options()).unwrap();
        append(&restored, range);
        restored.close().unwrap();
        let before = contents(&ground.path("backup"));
        let error = backup(ground.path("restored"), ground.path("backup"), &mut |_, _| {}).unwrap_err();
        assert!(matches!(&error, BackupError::OtherCourse { what, .. } if what.contains(marker)), "{error:?}");
        assert!(contents(&ground.path("backup")) == before);
    }
    back_up(&ground.path("restored"), &ground.path("another"));
}

#[test]
fn a_backup_is_not_opened_as_a_store() {
    let ground = Ground::backed_up();
    let before = contents(&ground.path("backup"));
    assert!(gesta::is_backup(ground.path("backup")) && !gesta::is_store(ground.path("backup")));
    assert!(!gesta::is_backup(ground.path("store")) && gesta::is_store(ground.path("store")));
    let error = Store::open(ground.path("backup"), small_options()).err().unwrap();
    assert!(matches!(error, OpenError::Backup { .. }) && error.to_string().contains("gesta restore"), "{error}");
    let error = Reader::open(ground.path("backup")).err().unwrap();
    assert!(matches!(error, OpenError::Backup { .. }), "{error}");
    assert!(contents(&ground.path("backup")) == before);
}

#[test]
fn of_two_backups_into_one_directory_the_second_is_refused() {
    let ground = Ground::backed_up();
    let mut refused = 0;
    fs::remove_file(ground.path("backup").join("0000000001-0000.log")).unwrap();
    backup(ground.path("store"), ground.path("backup"), &mut |_, _| {
        let error = backup(ground.path("store"), ground.path("backup"), &mut |_, _| {}).unwrap_err();
        assert!(matches!(error, BackupError::Busy { .. }), "{error:?}");
        refused += 1;
    })
    .unwrap();
    assert!(refused > 0);
}

// What an operator must not do, and does: a copy of the files while they are written to is no backup. It holds a beginning of the
// store, or says what is damaged; it never passes for more than it is.
#[test]
fn a_directory_that_was_copied_under_its_writer_is_a_beginning_of_the_store_or_says_what_is_damaged() {
    let ground = Ground::new();
    let store = ground.store();
    append(&store, 0..60);
    let is_over = AtomicBool::new(false);
    let (mut whole, mut damaged) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 60;
            while !is_over.load(Ordering::SeqCst) {
                append(&store, number..number + 1);
                number += 1;
            }
        });
        for run in 0..30 {
            let to = ground.path(&format!("copy-{run}"));
            fs::create_dir(&to).unwrap();
            let before = store.reader().head().0;
            for entry in fs::read_dir(ground.path("store")).unwrap().map(Result::unwrap) {
                match fs::copy(entry.path(), to.join(entry.file_name())) {
                    // Made under this name and renamed since.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    outcome => drop(outcome.unwrap()),
                }
            }
            match Store::open(&to, small_options()) {
                Ok(copy) if copy.recovery().is_degraded => {
                    assert!(!copy.recovery().damage.is_empty());
                    damaged += 1;
                }
                Ok(copy) => {
                    let read = texts(copy.read(Read::all())).unwrap();
                    assert!(read == numbers(0..read.len() as u64) && read.len() as u64 >= before, "copy {run}");
                    whole += 1;
                }
                Err(OpenError::ManifestDamaged { .. } | OpenError::NotAStore { .. }) => damaged += 1,
                Err(error) => panic!("copy {run}: {error:?}"),
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("{whole} copies were a beginning of the store, {damaged} said what is damaged");
    assert!(whole > 0);
    store.close().unwrap();
}
