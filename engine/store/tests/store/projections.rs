//! What a store is told of projections reaches those who wait, in this process and in others, and is never in the way.

use crate::child;
use crate::support::{open, request, texts};
use gesta::disk::SimulatedDisk;
use gesta::limits::{PROJECTION_COUNT_MAX, PROJECTION_NAME_BYTES_MAX};
use gesta::{
    Durability, Options, Position, ProjectionId, ProjectionState, ProjectionStatus, Read, Reader, Store, WaitError,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited for what must not come.
const A_MOMENT: Duration = Duration::from_millis(20);

fn status(name: &str, version: u32, position: u64, state: ProjectionState) -> ProjectionStatus {
    let projection = ProjectionId { name: name.to_owned(), version };
    let is_serving = !matches!(state, ProjectionState::Building | ProjectionState::Superseded { .. });
    ProjectionStatus { projection, position: Position(position), lag: 3, is_serving, parked_count: 0, eta: None, state }
}

fn live(name: &str, position: u64) -> ProjectionStatus {
    status(name, 1, position, ProjectionState::Live)
}

fn failed(name: &str, version: u32, position: u64) -> ProjectionStatus {
    status(name, version, position, ProjectionState::Failed { error: "the rows are gone".to_owned() })
}

fn store_in(directory: &Path) -> Store {
    Store::open(directory, Options::default()).unwrap()
}

fn new_store() -> (TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = store_in(directory.path());
    (directory, store)
}

/// Names, versions, positions and whether a replay is due.
fn listed(reader: &Reader, prefix: &str) -> Vec<(String, u32, u64, bool)> {
    let reports = reader.projections(prefix).into_iter();
    reports
        .map(|report| {
            let ProjectionId { name, version } = report.status.projection;
            (name, version, report.status.position.0, report.is_replay_due)
        })
        .collect()
}

fn row(name: &str, position: u64, is_replay_due: bool) -> (String, u32, u64, bool) {
    (name.to_owned(), 1, position, is_replay_due)
}

fn wait(reader: &Reader, name: &str, position: u64, timeout: Duration) -> Result<(), WaitError> {
    reader.wait_for_projection(name, Position(position), timeout)
}

/// The files of the folder, without those that are being made.
fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join("projections")).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.ends_with(".new")).collect();
    names.sort();
    names
}

/// Tells until a replay is handed out.
#[track_caller]
fn tell_until_handed_out(store: &Store, status: &ProjectionStatus) {
    let began = Instant::now();
    let names = loop {
        let names = store.reader().tell_projections(std::slice::from_ref(status));
        if !names.is_empty() {
            break names;
        }
        assert!(began.elapsed() < PATIENCE, "no replay was handed out");
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(names, std::slice::from_ref(&status.projection.name));
}

#[test]
fn whoever_looks_on_sees_what_was_told() {
    let (directory, store) = new_store();
    let observer = Reader::open(directory.path()).unwrap();
    assert_eq!(observer.projections(""), []);
    assert_eq!(store.reader().tell_projections(&[live("a", 4), failed("b", 1, 2)]), Vec::<String>::new());
    assert_eq!(observer.projections(""), store.reader().projections(""));
    assert_eq!(listed(&observer, "b"), [row("b", 2, false)]);
    assert_eq!(listed(&observer, "x"), []);
}

#[test]
fn a_wait_ends_when_it_is_told_here_or_elsewhere() {
    let (directory, store) = new_store();
    let observer = Reader::open(directory.path()).unwrap();
    let readers = [store.reader(), observer];
    thread::scope(|scope| {
        let waits: Vec<_> = readers.iter().map(|reader| scope.spawn(move || wait(reader, "a", 7, PATIENCE))).collect();
        let began = Instant::now();
        for position in 1.. {
            store.reader().tell_projections(&[live("a", position)]);
            if waits.iter().all(thread::ScopedJoinHandle::is_finished) {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "somebody waits still");
            thread::sleep(Duration::from_millis(5));
        }
        for wait in waits {
            wait.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_wait_that_is_in_vain_says_why() {
    let (directory, store) = new_store();
    let observer = Reader::open(directory.path()).unwrap();
    store.reader().tell_projections(&[live("a", 4), failed("b", 1, 2)]);
    for reader in [store.reader(), observer] {
        let late = wait(&reader, "a", 5, A_MOMENT).unwrap_err();
        let expected = (Position(4), Position(5));
        assert!(
            matches!(late, WaitError::TimedOut { position, wanted, .. } if (position, wanted) == expected),
            "{late}"
        );
        let ended = wait(&reader, "b", 3, PATIENCE).unwrap_err();
        assert!(matches!(&ended, WaitError::Ended { reason, .. } if reason == "the rows are gone"), "{ended}");
        wait(&reader, "b", 2, Duration::ZERO).unwrap();
        let unknown = wait(&reader, "aa", 0, A_MOMENT).unwrap_err();
        assert!(matches!(&unknown, WaitError::Unknown { projection } if projection == "aa"), "{unknown}");
    }
}

#[test]
fn the_version_that_serves_is_waited_for() {
    let (directory, store) = new_store();
    let observer = Reader::open(directory.path()).unwrap();
    let told = |statuses: &[ProjectionStatus], position| {
        store.reader().tell_projections(statuses);
        let here = wait(&store.reader(), "a", position, A_MOMENT);
        let elsewhere = wait(&observer, "a", position, A_MOMENT);
        assert_eq!(here.is_ok(), elsewhere.is_ok());
        here
    };
    let building = |position| status("a", 2, position, ProjectionState::Building);
    told(&[live("a", 5), building(9)], 6).unwrap_err();
    told(&[live("a", 5), building(2)], 5).unwrap();
    // The earlier version has failed: the later one will serve.
    let late = told(&[failed("a", 1, 5), building(7)], 6).unwrap_err();
    assert!(matches!(late, WaitError::TimedOut { .. }), "{late}");
    let superseded = status("a", 1, 5, ProjectionState::Superseded { by: 2 });
    told(&[superseded.clone(), status("a", 2, 7, ProjectionState::Live)], 7).unwrap();
    let ended = told(&[superseded, failed("a", 2, 7)], 8).unwrap_err();
    assert!(matches!(ended, WaitError::Ended { .. }), "{ended}");
}

#[test]
fn what_stands_by_hides_nothing() {
    let (directory, store) = new_store();
    let observer = Reader::open(directory.path()).unwrap();
    let standby = status("a", 1, 0, ProjectionState::Standby);
    let reader = store.reader();
    reader.tell_projections(std::slice::from_ref(&standby));
    assert_eq!(reader.projections("")[0].status, standby);
    assert_eq!(files(directory.path()), Vec::<String>::new());
    // Whoever folds tells another process, and then this one.
    observer.tell_projections(&[live("a", 3)]);
    for told in [3, 4] {
        reader.tell_projections(std::slice::from_ref(&standby));
        assert_eq!(listed(&reader, ""), [row("a", told, false)]);
        wait(&reader, "a", told, A_MOMENT).unwrap();
        reader.tell_projections(&[live("a", 4)]);
    }
    assert!(reader.ask_to_replay_parked("a").unwrap());
    assert_eq!(reader.tell_projections(&[standby]), Vec::<String>::new());
    assert_eq!(reader.tell_projections(&[live("a", 4)]), ["a"]);
}

#[test]
fn a_replay_that_an_observer_asks_for_is_handed_out_once() {
    let (directory, store) = new_store();
    let observer = Reader::open(directory.path()).unwrap();
    assert!(!observer.ask_to_replay_parked("a").unwrap());
    assert!(!store.reader().ask_to_replay_parked("a").unwrap());
    store.reader().tell_projections(&[live("a", 1), live("b", 1)]);
    assert!(observer.ask_to_replay_parked("a").unwrap());
    let due = [row("a", 1, true), row("b", 1, false)];
    assert_eq!(listed(&observer, ""), due);
    assert_eq!(listed(&store.reader(), ""), due);
    tell_until_handed_out(&store, &live("a", 1));
    assert_eq!(listed(&store.reader(), ""), due);
    assert_eq!(listed(&observer, ""), due);
    assert_eq!(store.reader().tell_projections(&[live("a", 2)]), Vec::<String>::new());
    let done = [row("a", 2, false), row("b", 1, false)];
    assert_eq!(listed(&store.reader(), ""), done);
    assert_eq!(listed(&observer, ""), done);
}

#[test]
fn a_replay_that_another_process_asks_for_is_handed_out() {
    if let Some(directory) = child::directory() {
        let observer = Reader::open(directory).unwrap();
        assert_eq!(listed(&observer, ""), [row("a", 1, false)]);
        assert!(observer.ask_to_replay_parked("a").unwrap());
        return;
    }
    let (directory, store) = new_store();
    store.reader().tell_projections(&[live("a", 1)]);
    child::run("projections::a_replay_that_another_process_asks_for_is_handed_out", directory.path());
    tell_until_handed_out(&store, &live("a", 1));
}

#[test]
fn the_last_reports_outlive_the_store_and_nobody_waits_for_them() {
    let (directory, store) = new_store();
    store.reader().tell_projections(&[live("a", 1)]);
    // So soon after the first, this one reaches the files when the store is closed.
    store.reader().tell_projections(&[live("a", 9)]);
    let (reader, told) = (store.reader(), store.reader().projections(""));
    store.close().unwrap();
    assert_eq!(Reader::open(directory.path()).unwrap().projections(""), told);
    // The folder is the next writer's.
    reader.tell_projections(&[live("a", 11), live("b", 1)]);
    assert_eq!(Reader::open(directory.path()).unwrap().projections(""), told);
    let store = store_in(directory.path());
    assert_eq!(store.reader().projections(""), told);
    let late = wait(&store.reader(), "a", 9, A_MOMENT).unwrap_err();
    assert!(matches!(late, WaitError::TimedOut { position: Position(9), .. }), "{late}");
    store.reader().tell_projections(&[live("a", 9)]);
    wait(&store.reader(), "a", 9, A_MOMENT).unwrap();
}

#[test]
fn a_projection_may_have_any_name() {
    let (directory, store) = new_store();
    let long = "x".repeat(PROJECTION_NAME_BYTES_MAX);
    let too_long = "y".repeat(PROJECTION_NAME_BYTES_MAX + 1);
    let names = ["", "..", "../lock", "a/b", "manifest", "Konten ☃", "\0\n", "A", "a", &long];
    let statuses: Vec<_> = names.iter().map(|name| live(name, 1)).chain([live(&too_long, 1)]).collect();
    store.reader().tell_projections(&statuses);
    let sorted: Vec<_> = BTreeSet::from(names).into_iter().map(|name| row(name, 1, false)).collect();
    assert_eq!(listed(&store.reader(), ""), sorted);
    assert_eq!(listed(&Reader::open(directory.path()).unwrap(), ""), sorted);
    let is_plain =
        |name: &String| name.len() < 40 && name.chars().all(|char| char.is_ascii_alphanumeric() || "-.".contains(char));
    assert!(files(directory.path()).iter().all(is_plain), "{:?}", files(directory.path()));
}

#[test]
fn those_told_of_last_are_kept_when_there_are_too_many() {
    let (directory, store) = new_store();
    let statuses: Vec<_> = (0..PROJECTION_COUNT_MAX).map(|number| live(&format!("a{number:04}"), 1)).collect();
    store.reader().tell_projections(&statuses[..1]);
    store.reader().tell_projections(&statuses[1..]);
    store.reader().tell_projections(&[live("b", 1)]);
    let observer = Reader::open(directory.path()).unwrap();
    for reader in [store.reader(), observer] {
        let listed = listed(&reader, "");
        assert_eq!(listed.len(), PROJECTION_COUNT_MAX);
        assert_eq!((&listed[0].0[..], &listed[PROJECTION_COUNT_MAX - 1].0[..]), ("a0001", "b"));
    }
    store.close().unwrap();
    // The next life keeps to as many files.
    let store = store_in(directory.path());
    store.reader().tell_projections(&[live("c", 1)]);
    let names = listed(&Reader::open(directory.path()).unwrap(), "");
    assert_eq!(names.len(), PROJECTION_COUNT_MAX);
    assert!(names.contains(&row("c", 1, false)));
}

#[test]
fn what_is_wrong_in_the_folder_costs_reports_alone() {
    let (directory, store) = new_store();
    store.reader().tell_projections(&[live("a", 1), live("b", 1), live("c", 1)]);
    store.close().unwrap();
    let folder = directory.path().join("projections");
    let [first, second, third] = &files(directory.path())[..] else { panic!("{:?}", files(directory.path())) };
    let bytes = fs::read(folder.join(first)).unwrap();
    let other_name = format!("{}-0000000009.prj", "0".repeat(16));
    fs::write(folder.join(first), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(folder.join(other_name), &bytes).unwrap();
    fs::write(folder.join("empty.prj"), []).unwrap();
    fs::write(folder.join("zeros.ask"), vec![0; 1 << 20]).unwrap();
    fs::remove_file(folder.join(second)).unwrap();
    fs::create_dir(folder.join(second)).unwrap();
    fs::create_dir(folder.join(format!("{third}.new"))).unwrap();
    let observer = Reader::open(directory.path()).unwrap();
    assert_eq!(observer.projections("").len(), 1);
    let store = store_in(directory.path());
    assert_eq!(store.reader().projections("").len(), 1);
    store.append(request("s-1", &["one"], Durability::Durable)).unwrap();
    store.reader().tell_projections(&[live("a", 2), live("b", 2), live("c", 2)]);
    assert_eq!(listed(&store.reader(), ""), [row("a", 2, false), row("b", 2, false), row("c", 2, false)]);
    assert!(store.reader().ask_to_replay_parked("b").unwrap());
    store.close().unwrap();
}

#[test]
fn a_file_in_place_of_the_folder_stops_nobody() {
    let (directory, store) = new_store();
    fs::write(directory.path().join("projections"), "not a folder").unwrap();
    store.reader().tell_projections(&[live("a", 2)]);
    wait(&store.reader(), "a", 2, A_MOMENT).unwrap();
    assert_eq!(listed(&store.reader(), ""), [row("a", 2, false)]);
    assert_eq!(Reader::open(directory.path()).unwrap().projections(""), []);
    store.append(request("s-1", &["one"], Durability::Durable)).unwrap();
    store.close().unwrap();
    let store = store_in(directory.path());
    assert_eq!(texts(store.read(Read::all())).unwrap(), ["one"]);
}

#[test]
fn files_of_another_store_are_none() {
    let (directory, store) = new_store();
    store.reader().tell_projections(&[live("a", 1)]);
    store.close().unwrap();
    let (other_directory, other) = new_store();
    fs::create_dir(other_directory.path().join("projections")).unwrap();
    for file in files(directory.path()) {
        let [from, to] =
            [&directory, &other_directory].map(|directory| directory.path().join("projections").join(&file));
        fs::copy(from, to).unwrap();
    }
    assert_eq!(files(other_directory.path()).len(), 1);
    assert_eq!(other.reader().projections(""), []);
}

#[test]
fn a_simulated_disk_has_no_folder_and_a_board_in_memory() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let names = disk.file_names();
    store.reader().tell_projections(&[live("a", 2)]);
    store.reader().wait_for_projection("a", Position(2), A_MOMENT).unwrap();
    assert!(store.reader().ask_to_replay_parked("a").unwrap());
    assert_eq!(store.reader().tell_projections(&[live("a", 2)]), ["a"]);
    assert_eq!(disk.file_names(), names);
    assert_eq!(Reader::open_on(disk).unwrap().projections(""), []);
}
