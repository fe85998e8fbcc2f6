//! Weak appends: when what was only buffered is written, when what was only written is synced, and what may be told of it.

use crate::support::{event, request, small_options, stream, texts};
use gesta::codec::HEADERS_BYTES;
use gesta::disk::{CrashPlan, Fault, Granularity, Keep, SimulatedDisk};
use gesta::{
    AppendError, AppendRequest, Commit, CommitObserver, Durability, ExpectedRevision, Options, Position, Read, Store,
    Upkeep,
};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One long segment, and nothing that happens by the clock.
fn options() -> Options {
    Options {
        first_segment_bytes: 1 << 20,
        segment_bytes_max: 1 << 20,
        sync_interval: Duration::MAX,
        mark_after: Duration::MAX,
        ..small_options()
    }
}

/// Passes on what it is told of commits.
#[derive(Debug)]
struct Commits(Mutex<Sender<Commit>>);

impl CommitObserver for Commits {
    fn committed(&self, commit: &Commit) {
        // Nobody listens any more when the store is closed.
        let _ = self.0.lock().unwrap().send(*commit);
    }
}

fn observed(options: Options) -> (Options, Receiver<Commit>) {
    let (commits_in, commits) = mpsc::channel();
    (Options { commit_observer: Some(Arc::new(Commits(Mutex::new(commits_in)))), ..options }, commits)
}

/// Buffers events of one size until the store commits, or so often; returns how many it took, and the commit.
fn buffer(options: Options, at_most: u32) -> (u32, Commit) {
    let (options, commits) = observed(options);
    let store = Store::open_on(SimulatedDisk::new(1), options).unwrap();
    let reader = store.reader();
    // A reader, unlike the store, writes nothing before it looks.
    let written = || texts(reader.read(Read::all().unsynced())).unwrap().len();
    for count in 1..=at_most {
        store.append(request("a-1", &[&"x".repeat(60)], Durability::Buffered)).unwrap();
        let commit = match commits.try_recv() {
            Ok(commit) => commit,
            Err(_) if count < at_most => {
                assert_eq!(written(), 0, "after event {count}");
                continue;
            }
            Err(_) => commits.recv_timeout(Duration::from_secs(20)).expect("nobody writes what has gathered"),
        };
        assert_eq!((written(), reader.head()), (count as usize, Position(0)), "written and not synced");
        return (count, commit);
    }
    unreachable!("the last round waits for a commit")
}

#[test]
fn buffered_events_are_written_as_soon_as_enough_bytes_have_gathered() {
    let enough = small_options().buffer_bytes as u64;
    let (count, commit) = buffer(options(), 1000);
    assert_eq!((commit.request_count, commit.durability, commit.sync), (count, Durability::Written, None));
    let each = commit.bytes / u64::from(count);
    assert!(commit.bytes >= enough && commit.bytes - each < enough, "{} bytes had gathered", commit.bytes);
    assert!(count > 2, "{count}");
    // The committing thread does the same, and does it unasked.
    let (by_thread, commit) = buffer(Options { upkeep: Upkeep::Threads, ..options() }, count);
    assert_eq!((by_thread, commit.request_count, commit.durability), (count, count, Durability::Written));
}

#[test]
fn a_sync_comes_before_more_is_unsynced_than_is_allowed() {
    let (options, commits) = observed(Options { unsynced_bytes_max: 10_000, ..options() });
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options.clone()).unwrap();
    store.append(request("a-1", &["first"], Durability::Durable)).unwrap();
    commits.recv().unwrap();
    let (mut unsynced, mut syncs, mut rounds) = (0, disk.syncs(), 0);
    for position in 1..200 {
        let data = "x".repeat(200 + usize::try_from(position * 37 % 1500).unwrap());
        store.append(request("a-1", &[&data], Durability::Written)).unwrap();
        let commit = commits.recv().unwrap();
        assert_eq!((commit.sync, commit.durability), (None, Durability::Written), "nobody asked for a sync");
        let bytes = commit.bytes + HEADERS_BYTES as u64;
        if disk.syncs() > syncs {
            assert_eq!(store.reader().head(), Position(position), "all before is durable");
            // A mark has its room, too.
            let would_be = unsynced + bytes + HEADERS_BYTES as u64;
            assert!(would_be > options.unsynced_bytes_max, "a sync for {would_be} bytes");
            (unsynced, syncs, rounds) = (0, disk.syncs(), rounds + 1);
        }
        unsynced += bytes;
        assert!(unsynced <= options.unsynced_bytes_max, "{unsynced} bytes are unsynced behind position {position}");
    }
    assert!(rounds > 10, "{rounds}");
    let head = store.reader().head();
    disk.power_cut(&CrashPlan { seed: 1, keep: Keep::None, granularity: Granularity::Sector });
    drop(store);
    assert_eq!(Store::open_on(disk, options).unwrap().reader().head(), head, "what was durable, and no more");
}

/// Narrower than one batch, the bound is as wide as the largest one.
#[test]
fn of_the_largest_batches_no_two_are_unsynced() {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), Options { unsynced_bytes_max: 0, ..options() }).unwrap();
    let largest = "x".repeat(1400);
    for count in 1..50 {
        store.append(request("a-1", &[&largest, &largest], Durability::Written)).unwrap();
        assert_eq!(store.reader().head(), Position(2 * (count - 1)), "after {count}");
    }
}

type Tickets = [gesta::Ticket<SimulatedDisk>; 2];

/// Submits a request that is refused because of an event that is there, and one that is taken without an event of its own.
fn judged(store: &Store<SimulatedDisk>, durability: Durability) -> Tickets {
    let refused = request("a-1", &["x"], durability).expect(stream("a-1"), ExpectedRevision::NoStream);
    let check = AppendRequest::new().durability(durability).expect(stream("a-1"), ExpectedRevision::StreamExists);
    [refused, check].map(|request| store.submit(request).unwrap())
}

/// Which of the two were told, each as it should be.
fn told(tickets: &mut Tickets) -> [bool; 2] {
    let [refused, check] = tickets.each_mut().map(gesta::Ticket::try_take);
    if let Some(outcome) = &refused {
        assert!(matches!(outcome, Err(AppendError::Conflict(_))), "{outcome:?}");
    }
    if let Some(outcome) = &check {
        assert_eq!(outcome.as_ref().unwrap().positions, Position(1)..Position(1));
    }
    [refused.is_some(), check.is_some()]
}

#[test]
fn a_verdict_is_told_when_what_it_was_judged_against_is_as_safe_as_was_asked() {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    store.append(request("a-1", &["0"], Durability::Buffered)).unwrap();
    let (mut buffered, mut written) = (judged(&store, Durability::Buffered), judged(&store, Durability::Written));
    // What was missed is read from the log, so a conflict waits for the write at least.
    assert_eq!(told(&mut buffered), [false, true], "the event is in memory");
    assert_eq!(told(&mut written), [false, false]);
    store.append(AppendRequest::new().event(event("b-1", "1")).durability(Durability::Written)).unwrap();
    assert_eq!(told(&mut buffered), [true, false]);
    assert_eq!(told(&mut written), [true, true]);
    assert_eq!(store.reader().head(), Position(0), "nothing was synced for it");

    let durable = Arc::new(Mutex::new((judged(&store, Durability::Durable), Vec::new())));
    let during = Arc::clone(&durable);
    disk.on_sync(Some(Box::new(move || {
        let (tickets, seen) = &mut *during.lock().unwrap();
        seen.push(tickets.each_mut().map(|ticket| ticket.try_take().is_some()));
    })));
    store.sync().unwrap();
    disk.on_sync(None);
    let (tickets, seen) = &mut *durable.lock().unwrap();
    assert_eq!(*seen, [[false, false]], "while the sync was under way");
    let [refused, check] = tickets.each_mut().map(gesta::Ticket::try_take);
    assert!(matches!(refused, Some(Err(AppendError::Conflict(_)))), "{refused:?}");
    assert_eq!(check.unwrap().unwrap().positions, Position(2)..Position(2));
}

#[test]
fn no_verdict_is_told_that_rests_on_what_a_failed_sync_took() {
    let disk = SimulatedDisk::new(1);
    let store = Store::open_on(disk.clone(), options()).unwrap();
    store.append(request("a-1", &["0"], Durability::Written)).unwrap();
    disk.inject(Fault::FailSync { sync: 1, persistent: false });
    for outcome in judged(&store, Durability::Durable).map(gesta::Ticket::wait) {
        assert!(matches!(outcome, Err(AppendError::Poisoned { .. })), "{outcome:?}");
    }
}
