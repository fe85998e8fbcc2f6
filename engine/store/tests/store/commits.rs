//! Looking on while the store commits.

use crate::support::{request, small_options, texts};
use gesta::disk::{Fault, SimulatedDisk};
use gesta::{AppendError, AppendRequest, Commit, CommitObserver, Durability, Options, Read, Store, Upkeep};
use std::io;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
enum Told {
    Started,
    Committed(Commit),
    Failed(String),
}

/// Notes what it is told.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<Told>>);

impl CommitObserver for Notes {
    fn started(&self) {
        self.0.lock().unwrap().push(Told::Started);
    }

    fn committed(&self, commit: &Commit) {
        self.0.lock().unwrap().push(Told::Committed(*commit));
    }

    fn failed(&self, cause: &io::Error) {
        self.0.lock().unwrap().push(Told::Failed(cause.to_string()));
    }
}

impl Notes {
    /// The commits told so far; each must have been announced.
    fn take_commits(&self) -> Vec<Commit> {
        let mut told = std::mem::take(&mut *self.0.lock().unwrap()).into_iter();
        let mut commits = Vec::new();
        while let Some(first) = told.next() {
            match (first, told.next()) {
                (Told::Started, Some(Told::Committed(commit))) => commits.push(commit),
                other => panic!("told out of turn: {other:?}"),
            }
        }
        commits
    }
}

fn observed(observer: Arc<dyn CommitObserver>) -> Options {
    Options { commit_observer: Some(observer), ..small_options() }
}

#[test]
fn the_observer_is_told_of_every_commit_what_it_wrote_and_what_it_reached() {
    let notes = Arc::new(Notes::default());
    let store = Store::open_on(SimulatedDisk::new(1), observed(Arc::clone(&notes) as _)).unwrap();
    store.append(request("a-1", &["one", "two"], Durability::Durable)).unwrap();
    let commits = notes.take_commits();
    let [durable] = commits[..] else { panic!("{commits:?}") };
    assert_eq!((durable.request_count, durable.event_count, durable.durability), (1, 2, Durability::Durable));
    assert!(durable.bytes > 0 && durable.sync.is_some(), "{durable:?}");

    store.append(request("a-1", &["three"], Durability::Buffered)).unwrap();
    assert_eq!(notes.take_commits(), [], "what stays in memory is no commit");
    store.append(request("a-1", &["four"], Durability::Written)).unwrap();
    let commits = notes.take_commits();
    let [written] = commits[..] else { panic!("{commits:?}") };
    assert_eq!((written.request_count, written.event_count, written.durability), (2, 2, Durability::Written));
    assert_eq!(written.sync, None);

    store.sync().unwrap();
    let commits = notes.take_commits();
    let [synced] = commits[..] else { panic!("{commits:?}") };
    assert_eq!((synced.event_count, synced.bytes, synced.durability), (0, 0, Durability::Durable));
    assert!(synced.sync.is_some());
}

#[test]
fn many_threads_commits_add_up_to_what_was_appended() {
    let notes = Arc::new(Notes::default());
    let options = Options { upkeep: Upkeep::Threads, ..observed(Arc::clone(&notes) as _) };
    let store = Store::open_on(SimulatedDisk::new(1), options).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..50 {
                    store.append(request(&format!("w-{writer}"), &["x", "y", "z"], Durability::Durable)).unwrap();
                }
            });
        }
    });
    store.close().unwrap();
    let commits = notes.take_commits();
    assert_eq!(commits.iter().map(|commit| commit.event_count).sum::<u32>(), 8 * 50 * 3);
    assert_eq!(commits.iter().map(|commit| commit.request_count).sum::<u32>(), 8 * 50);
}

#[test]
fn the_observer_is_told_why_the_writer_is_poisoned_before_the_caller_is() {
    let notes = Arc::new(Notes::default());
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), observed(Arc::clone(&notes) as _)).unwrap();
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    let error = store.append(request("a-1", &["lost"], Durability::Durable)).unwrap_err();
    let AppendError::Poisoned { cause } = &error else { panic!("{error}") };
    let told = std::mem::take(&mut *notes.0.lock().unwrap());
    let [Told::Started, Told::Committed(_), Told::Started, Told::Failed(reason)] = &told[..] else {
        panic!("{told:?}")
    };
    // What appends are told from then on names the same cause.
    assert!(cause.to_string().contains(reason.as_str()), "{cause} / {reason}");
}

/// Panics whenever it is told anything.
#[derive(Debug)]
struct Clumsy;

impl CommitObserver for Clumsy {
    fn started(&self) {
        panic!("the observer trips at the start");
    }

    fn committed(&self, _: &Commit) {
        panic!("the observer trips at the end");
    }

    fn failed(&self, _: &io::Error) {
        panic!("the observer trips over a failure");
    }
}

#[test]
fn an_observer_that_panics_costs_no_commit_and_hides_no_failure() {
    let disk = SimulatedDisk::new(1);
    let options = Options { upkeep: Upkeep::Threads, ..observed(Arc::new(Clumsy)) };
    let store = Store::open_on(disk.clone(), options.clone()).unwrap();
    store.append(request("a-1", &["one"], Durability::Durable)).unwrap();
    store.submit(AppendRequest::new().durability(Durability::Durable)).unwrap().wait().unwrap();
    store.append(request("a-1", &["two"], Durability::Durable)).unwrap();
    assert_eq!(texts(store.read(Read::all())).unwrap(), ["one", "two"]);
    store.close().unwrap();

    let store = Store::open_on(disk.clone(), Options { upkeep: Upkeep::Inline, ..options }).unwrap();
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    let error = store.append(request("a-1", &["lost"], Durability::Durable)).unwrap_err();
    assert!(matches!(error, AppendError::Poisoned { .. }), "{error}");
    assert_eq!(texts(store.read(Read::all())).unwrap(), ["one", "two"]);
}
