//! A disk that is full: nothing is appended that does not fit, and everything else goes on, closing and opening included.

use crate::machine::{fill_up, options};
use crate::mounted::{Mounted, skip};
use crate::power::is_installed;
use crate::support::{next_event, open, request, small_options, text, texts};
use gesta::disk::{Disk, Fault, SimulatedDisk};
use gesta::{AppendError, Durability, OpenError, Options, Read, Store, Upkeep};
use std::path::Path;
use std::process::Command;

/// Room that was given back is taken by somebody else at once.
fn leave_no_room(disk: &SimulatedDisk) {
    let used: usize = disk.file_names().iter().map(|name| disk.image(name).len()).sum();
    disk.set_capacity(Some(used as u64));
}

/// Appends until the store has no room, or so often; tells how many were taken, and whether it was refused.
fn append<D: Disk>(store: &Store<D>, times: usize, bytes: usize) -> (usize, bool) {
    let data = "x".repeat(bytes);
    for count in 0..times {
        match store.append(request("a-1", &[&data], Durability::Durable)) {
            Ok(_) => {}
            Err(refused @ AppendError::StorageFull { .. }) => {
                let told = refused.to_string();
                assert!(told.contains(".log") && told.contains("free some space and append again"), "{told}");
                return (count, true);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    (times, false)
}

/// Everything is read, in a read and in a subscription.
fn check_reads<D: Disk>(store: &Store<D>, count: usize, what: &str) {
    assert!(!store.recovery().is_degraded, "{what}: {:?}", store.recovery());
    assert_eq!(texts(store.read(Read::all())).unwrap().len(), count, "{what}");
    let mut subscription = store.subscribe(Read::all());
    (0..count).for_each(|_| drop(next_event(&mut subscription, text)));
}

/// The disk fills up at each call in turn: of an opening, of each append with its rolls and index files, and of a close.
#[test]
fn a_store_whose_disk_fills_up_at_any_call_is_closed_and_opened_cleanly() {
    let prepared = SimulatedDisk::new(5);
    let store = open(&prepared);
    let (before, _) = append(&store, 20, 700);
    store.close().unwrap();
    let (mut refusals, mut call) = (0, 0);
    loop {
        call += 1;
        let what = format!("call {call}");
        let disk = prepared.fork();
        disk.inject(Fault::FillsUpAt { call });
        let store = open(&disk);
        let (taken, _) = append(&store, 20, 700);
        let mut count = before + taken;
        check_reads(&store, count, &what);
        store.close().unwrap_or_else(|error| panic!("{what}: {error}"));
        if disk.calls() < call {
            break;
        }
        for life in 0..3 {
            leave_no_room(&disk);
            let what = format!("{what}, life {life}");
            let store = Store::open_on(disk.clone(), small_options()).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(store.recovery().closed_cleanly, "{what}: {:?}", store.recovery());
            check_reads(&store, count, &what);
            let (taken, is_refused) = append(&store, 100, 700);
            assert!(is_refused, "{what}");
            count += taken;
            check_reads(&store, count, &what);
            refusals += 1;
            if life == 2 {
                // There is room again, and nobody has to open the store for that.
                disk.set_capacity(None);
                assert_eq!(append(&store, 100, 700), (100, false), "{what}");
                count += 100;
                check_reads(&store, count, &what);
            }
            store.close().unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        assert_eq!(disk.image("reserve"), prepared.image("reserve"), "{what}: the reserve is there again");
    }
    println!("the disk filled up at {} calls; {refusals} appends were refused", call - 1);
    assert!(call > 80, "{call}");
}

#[test]
fn without_a_reserve_a_full_disk_refuses_to_open_and_says_so() {
    let disk = SimulatedDisk::new(5);
    let store = open(&disk);
    append(&store, 5, 700);
    store.close().unwrap();
    disk.delete("reserve");
    leave_no_room(&disk);
    let Err(refused) = Store::open_on(disk.clone(), small_options()) else { panic!("there is no room for a manifest") };
    assert!(matches!(refused, OpenError::StorageFull { .. }), "{refused:?}");
    disk.set_capacity(None);
    assert!(open(&disk).recovery().closed_cleanly);
}

/// The same on a real file system, filled to its last block by somebody else while the store is open.
fn live_on(directory: &Path) {
    let ballast = |number: u32| directory.join(format!("ballast-{number}"));
    let path = directory.join("store");
    let open = || Store::open(&path, Options { upkeep: Upkeep::Threads, ..options() }).unwrap();
    let store = open();
    let (mut count, is_refused) = append(&store, 50, 2000);
    assert!(!is_refused);
    fill_up(&ballast(0));
    let (taken, is_refused) = append(&store, 1000, 2000);
    assert!(is_refused);
    count += taken;
    check_reads(&store, count, "when it filled up");
    store.close().unwrap();
    for number in 1..4 {
        fill_up(&ballast(number));
        let what = format!("opening {number}");
        let store = open();
        assert!(store.recovery().closed_cleanly, "{what}: {:?}", store.recovery());
        let (taken, is_refused) = append(&store, 1000, 2000);
        assert!(is_refused, "{what}");
        count += taken;
        check_reads(&store, count, &what);
        if number == 3 {
            (0..4).for_each(|number| std::fs::remove_file(ballast(number)).unwrap());
            let (taken, is_refused) = append(&store, 50, 2000);
            assert!(!is_refused, "there is room again");
            count += taken;
            check_reads(&store, count, &what);
        }
        store.close().unwrap();
    }
    let store = open();
    check_reads(&store, count, "at the end");
    assert_eq!(store.reader().verify(true, &mut |_, _| {}).damage, []);
    store.close().unwrap();
}

#[test]
fn a_store_on_a_full_tmpfs_is_closed_and_opened_cleanly() {
    let Some(mounted) = Mounted::in_memory("4m") else { return };
    live_on(mounted.path());
}

#[test]
fn a_store_on_a_full_ext4_is_closed_and_opened_cleanly() {
    if !is_installed("mkfs.ext4") {
        skip("mkfs.ext4 is needed");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    std::fs::File::create(&image).unwrap().set_len(16 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let Some(mounted) = Mounted::image(&image) else { return };
    live_on(mounted.path());
}
