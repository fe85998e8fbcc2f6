//! Subscriptions: what is there, then what comes, and how far they have come.

use crate::support::{event, next_event, open, request, stream, text, texts};
use gesta::disk::{Disk, SimulatedDisk};
use gesta::{
    AppendRequest, Durability, Event, EventType, Notice, Options, Position, Query, QueryItem, Read, ReadError, Reader,
    Revision, Store, Subscription, Tag,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What a subscription said, to compare.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Event(String),
    CaughtUp(u64),
    FellBehind(u64),
    Progress(u64),
    TimedOut(u64),
    Ended(u64),
}

/// The next thing that a subscription says without waiting.
fn say<D: Disk>(subscription: &mut Subscription<D>) -> Said {
    say_within(subscription, Duration::ZERO)
}

fn say_within<D: Disk>(subscription: &mut Subscription<D>, timeout: Duration) -> Said {
    let notice = subscription.next(timeout).unwrap();
    let position = notice.position();
    let said = match notice {
        Notice::Event(event) => Said::Event(text(event)),
        Notice::CaughtUp(position) => Said::CaughtUp(position.0),
        Notice::FellBehind(position) => Said::FellBehind(position.0),
        Notice::Progress(position) => Said::Progress(position.0),
        Notice::TimedOut(position) => Said::TimedOut(position.0),
        Notice::Ended(position) => Said::Ended(position.0),
        notice => panic!("{notice:?}"),
    };
    assert_eq!(subscription.position(), position);
    said
}

/// Everything that a subscription hands out before it waits.
fn all_said<D: Disk>(subscription: &mut Subscription<D>) -> Vec<Said> {
    let mut all = Vec::new();
    loop {
        match say(subscription) {
            Said::TimedOut(_) => return all,
            said => all.push(said),
        }
    }
}

fn events(data: &[&str]) -> Vec<Said> {
    data.iter().map(|data| Said::Event((*data).to_owned())).collect()
}

fn events_then(data: &[&str], last: Said) -> Vec<Said> {
    let mut all = events(data);
    all.push(last);
    all
}

fn tagged(tag: &str, data: &str) -> Event {
    event("a-1", data).tag(Tag::new(tag).unwrap())
}

fn of_tag(tag: &str) -> Query {
    Query::from(QueryItem::new().tag(Tag::new(tag).unwrap()))
}

fn append(store: &Store<SimulatedDisk>, tag: &str, data: &str) {
    store.append(AppendRequest::new().event(tagged(tag, data))).unwrap();
}

/// Never says `Progress`.
fn without_timer<D: Disk>(subscription: Subscription<D>) -> Subscription<D> {
    subscription.progress_every(Duration::MAX)
}

#[test]
fn everything_a_stream_and_a_query_can_be_followed() {
    let store = open(&SimulatedDisk::new(1));
    let put = |name: &str, tag: &str, data: &str| {
        store.append(AppendRequest::new().event(event(name, data).tag(Tag::new(tag).unwrap()))).unwrap();
    };
    put("a-1", "x:1", "0");
    put("b-1", "x:2", "1");
    let mut everything = without_timer(store.subscribe(Read::all()));
    let mut of_stream = without_timer(store.subscribe(Read::stream(stream("b-1"))));
    let mut of_query = without_timer(store.subscribe(Read::query(of_tag("x:1"))));
    assert_eq!(all_said(&mut everything), events_then(&["0", "1"], Said::CaughtUp(2)));
    assert_eq!(all_said(&mut of_stream), events_then(&["1"], Said::CaughtUp(2)));
    assert_eq!(all_said(&mut of_query), events_then(&["0"], Said::CaughtUp(2)));
    put("b-1", "x:1", "2");
    put("a-1", "x:2", "3");
    assert_eq!(all_said(&mut everything), events(&["2", "3"]));
    assert_eq!(all_said(&mut of_stream), events(&["2"]));
    assert_eq!(all_said(&mut of_query), events(&["2"]));
    assert_eq!(say(&mut of_query), Said::TimedOut(4));
}

#[test]
fn a_subscription_without_matches_has_caught_up_at_once() {
    let store = open(&SimulatedDisk::new(1));
    let mut of_nothing = without_timer(store.subscribe(Read::all()));
    assert_eq!([say(&mut of_nothing), say(&mut of_nothing)], [Said::CaughtUp(0), Said::TimedOut(0)]);
    for number in 0..300 {
        append(&store, "x:1", &number.to_string());
    }
    let mut unmatched = without_timer(store.subscribe(Read::query(of_tag("x:2"))));
    assert_eq!([say(&mut unmatched), say(&mut unmatched)], [Said::CaughtUp(300), Said::TimedOut(300)]);
}

// A subscription that was opened long ago costs what it hands out, not what is appended meanwhile.
#[test]
fn events_that_do_not_match_are_not_read() {
    let store = open(&SimulatedDisk::new(1));
    append(&store, "wanted:1", "first");
    let mut subscription = without_timer(store.subscribe(Read::query(of_tag("wanted:1"))));
    assert_eq!(all_said(&mut subscription), events_then(&["first"], Said::CaughtUp(1)));
    for round in 1..=20 {
        for number in 0..50 {
            append(&store, "other:1", &number.to_string());
        }
        assert_eq!(all_said(&mut subscription), []);
        assert_eq!(subscription.position(), Position(1 + round * 50));
    }
    append(&store, "wanted:1", "second");
    assert_eq!(all_said(&mut subscription), events(&["second"]));
    assert_eq!(subscription.explain().records_touched, 2);
    assert_eq!(subscription.explain().lists_read, 2);
}

#[test]
fn who_falls_behind_is_told_so_and_told_again_when_caught_up() {
    let store = open(&SimulatedDisk::new(1));
    let mut subscription = without_timer(store.subscribe(Read::query(of_tag("x:1"))).behind_after(3));
    for data in ["0", "1", "2", "3", "4"] {
        append(&store, "x:1", data);
    }
    // However much there is at first, it is not behind before it has caught up.
    assert_eq!(all_said(&mut subscription), events_then(&["0", "1", "2", "3", "4"], Said::CaughtUp(5)));
    for data in ["5", "6", "7"] {
        append(&store, "x:1", data);
    }
    assert_eq!(say(&mut subscription), Said::Event("5".to_owned()));
    append(&store, "x:1", "8");
    append(&store, "x:1", "9");
    assert_eq!(say(&mut subscription), Said::FellBehind(6));
    let rest = events_then(&["6", "7", "8", "9"], Said::CaughtUp(10));
    assert_eq!(all_said(&mut subscription), rest);
    // What does not match is not in the way.
    for _ in 0..10 {
        append(&store, "x:2", "other");
    }
    append(&store, "x:1", "last");
    assert_eq!(all_said(&mut subscription), events(&["last"]));
}

#[test]
fn progress_is_told_when_nothing_matches_and_when_nothing_happens() {
    let store = open(&SimulatedDisk::new(1));
    append(&store, "x:1", "0");
    let mut subscription = store.subscribe(Read::query(of_tag("x:1"))).progress_every(Duration::ZERO);
    while say(&mut subscription) != Said::CaughtUp(1) {}
    for _ in 0..3 {
        assert_eq!(say(&mut subscription), Said::Progress(1));
    }
    append(&store, "x:2", "not of it");
    let told: Vec<Said> = (0..3).map(|_| say(&mut subscription)).collect();
    assert!(told.iter().all(|said| matches!(said, Said::Progress(1 | 2))), "{told:?}");
    assert_eq!(told.last(), Some(&Said::Progress(2)));

    // A timer that runs out during a long wait ends it.
    let mut subscription = subscription.progress_every(Duration::from_millis(1));
    assert_eq!(say_within(&mut subscription, Duration::MAX), Said::Progress(2));
}

#[test]
fn progress_is_told_on_the_way_through_segments_without_a_match() {
    let store = open(&SimulatedDisk::new(1));
    append(&store, "wanted:1", "first");
    for number in 0..400 {
        append(&store, "other:1", &number.to_string());
    }
    append(&store, "wanted:1", "last");
    let mut subscription = store.subscribe(Read::query(of_tag("wanted:1"))).progress_every(Duration::ZERO);
    let mut positions = Vec::new();
    let mut found = Vec::new();
    loop {
        match say(&mut subscription) {
            Said::Event(data) => found.push(data),
            Said::Progress(position) => positions.push(position),
            said => break assert_eq!(said, Said::CaughtUp(402)),
        }
    }
    assert_eq!(found, ["first", "last"]);
    let on_the_way = positions.iter().filter(|position| (1..401).contains(*position)).count();
    assert!(on_the_way > 2 && positions.is_sorted(), "{positions:?}");
}

#[test]
fn whoever_begins_at_a_position_of_any_notice_gets_exactly_the_rest() {
    let store = open(&SimulatedDisk::new(1));
    let (mut all, mut resumed) = (Vec::new(), Vec::new());
    let read = || Read::query(of_tag("x:1"));
    let mut subscription = store.subscribe(read()).progress_every(Duration::ZERO).behind_after(2);
    let mut checkpoint = Position::START;
    for round in 0..40 {
        for number in 0..round % 7 {
            append(&store, if number % 3 == 1 { "x:1" } else { "x:2" }, &format!("{round}.{number}"));
        }
        // One that goes on for ever, one that stops after any notice and is opened again.
        let mut again = store.subscribe(read().from(checkpoint)).progress_every(Duration::ZERO).behind_after(2);
        for _ in 0..=round % 4 {
            let notice = again.next(Duration::ZERO).unwrap();
            checkpoint = notice.position();
            if let Notice::Event(event) = notice {
                resumed.push(text(event));
            }
        }
        while !matches!(say_into(&mut subscription, &mut all), Said::CaughtUp(_) | Said::Progress(_))
            || subscription.position() < store.reader().head()
        {}
    }
    let mut last = without_timer(store.subscribe(read().from(checkpoint)));
    while !matches!(say_into(&mut last, &mut resumed), Said::TimedOut(_)) {}
    assert!(all.len() > 30);
    assert_eq!(resumed, all);
}

fn say_into<D: Disk>(subscription: &mut Subscription<D>, all: &mut Vec<String>) -> Said {
    let said = say(subscription);
    if let Said::Event(data) = &said {
        all.push(data.clone());
    }
    said
}

#[test]
fn a_limit_ends_a_subscription_and_a_revision_or_a_time_begins_it() {
    let store = open(&SimulatedDisk::new(1));
    let mut limited = without_timer(store.subscribe(Read::query(of_tag("x:1")).limit(2)));
    let mut later = without_timer(store.subscribe(Read::stream(stream("a-1")).from_revision(Revision(2))));
    let never = gesta::Timestamp(i64::MAX);
    let mut in_the_future = without_timer(store.subscribe(Read::all().since(never)));
    assert_eq!(say(&mut later), Said::CaughtUp(0));
    assert_eq!(say(&mut in_the_future), Said::CaughtUp(0));
    for data in ["0", "1", "2", "3"] {
        append(&store, "x:1", data);
    }
    assert_eq!(all_said(&mut later), events(&["2", "3"]));
    assert_eq!(say(&mut in_the_future), Said::TimedOut(4));
    assert_eq!([say(&mut limited), say(&mut limited)], [Said::Event("0".to_owned()), Said::Event("1".to_owned())]);
    assert_eq!(say_within(&mut limited, Duration::MAX), Said::Ended(2));
    assert_eq!(say(&mut store.subscribe(Read::all().limit(0).from(Position(1)))), Said::Ended(1));
}

#[test]
fn a_subscription_to_unsynced_events_is_refused() {
    let store = open(&SimulatedDisk::new(1));
    store.append(request("a-1", &["0"], Durability::Written)).unwrap();
    let mut refused = store.subscribe(Read::all().unsynced());
    for _ in 0..2 {
        assert!(matches!(refused.next(Duration::ZERO), Err(ReadError::UnsyncedSubscription)));
    }
    let mut durable = without_timer(store.subscribe(Read::all()));
    assert_eq!(say(&mut durable), Said::CaughtUp(0));
    store.sync().unwrap();
    assert_eq!(say(&mut durable), Said::Event("0".to_owned()));
}

#[test]
fn damage_is_told_once_and_the_rest_follows() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    for data in ["0", "1 marker", "2"] {
        append(&store, "x:1", data);
    }
    store.close().unwrap();
    let name = disk.file_names().into_iter().find(|name| name.ends_with(".log")).unwrap();
    let image = disk.image(&name);
    let offset = image.windows(8).position(|window| window == b"1 marker").unwrap();
    disk.overwrite(&name, offset as u64, b"?");
    let reader = Reader::open_on(disk.clone()).unwrap();
    for read in [Read::all(), Read::query(of_tag("x:1"))] {
        let mut subscription = without_timer(reader.subscribe(read));
        let (mut found, mut damage) = (Vec::new(), Vec::new());
        loop {
            match subscription.next(Duration::ZERO) {
                Ok(Notice::Event(event)) => found.push(text(event)),
                Ok(Notice::TimedOut(position)) => break assert_eq!(position, Position(3)),
                Ok(_) => {}
                Err(ReadError::Damaged(damaged)) => damage.push(damaged.positions),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(found, ["0", "2"]);
        assert_eq!(damage, [Position(1)..Position(2)]);
    }
}

#[test]
fn a_subscription_beside_another_process_follows_its_marks() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    append(&store, "x:1", "0");
    store.mark();
    let reader = Reader::open_on(disk.clone()).unwrap();
    let mut subscription = without_timer(reader.subscribe(Read::query(of_tag("x:1")))).behind_after(2);
    assert_eq!(all_said(&mut subscription), events_then(&["0"], Said::CaughtUp(1)));
    for data in ["1", "2", "3"] {
        append(&store, "x:1", data);
        append(&store, "x:2", "other");
    }
    store.mark();
    assert_eq!(say(&mut subscription), Said::FellBehind(1));
    assert_eq!(all_said(&mut subscription), events_then(&["1", "2", "3"], Said::CaughtUp(7)));
}

#[test]
fn subscriptions_of_many_threads_get_every_match_as_it_comes() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options { first_segment_bytes: 64 << 10, ..Options::default() }).unwrap();
    let count = 600;
    std::thread::scope(|scope| {
        for follower in 0..4 {
            let mut subscription = store.subscribe(Read::query(of_tag(&format!("follower:{follower}"))));
            scope.spawn(move || {
                for number in (follower..count).step_by(4) {
                    assert_eq!(next_event(&mut subscription, text), number.to_string());
                }
            });
        }
        for number in 0..count {
            let event = Event::new(EventType::new("Happened").unwrap()).data(number.to_string());
            let tag = Tag::new(format!("follower:{}", number % 4)).unwrap();
            store.append(AppendRequest::new().event(event.tag(tag))).unwrap();
        }
    });
}

#[test]
fn a_follower_that_is_cut_off_again_and_again_misses_nothing_while_others_append() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { first_segment_bytes: 64 << 10, segment_bytes_max: 64 << 10, ..Options::default() };
    let store = Store::open(directory.path(), options).unwrap();
    let writer_count = AtomicUsize::new(3);
    let followed = std::thread::scope(|scope| {
        for writer in 0..3 {
            let (store, writer_count) = (&store, &writer_count);
            scope.spawn(move || {
                for number in 0..300 {
                    let tag = if (number + writer) % 3 == 0 { "x:1" } else { "x:2" };
                    store.append(AppendRequest::new().event(tagged(tag, &format!("{writer}.{number}")))).unwrap();
                }
                writer_count.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let (mut followed, mut checkpoint, mut is_over, mut patience) = (Vec::new(), Position::START, false, 0);
        while !is_over || checkpoint < store.reader().head() {
            is_over = writer_count.load(Ordering::SeqCst) == 0;
            patience = (patience + 1) % 6;
            let read = Read::query(of_tag("x:1")).from(checkpoint);
            let mut subscription = store.subscribe(read).progress_every(Duration::ZERO).behind_after(2);
            for _ in 0..=patience {
                let notice = subscription.next(Duration::from_millis(1)).unwrap();
                assert!(notice.position() >= checkpoint, "{notice:?} after {checkpoint}");
                checkpoint = notice.position();
                if let Notice::Event(event) = notice {
                    followed.push(text(event));
                }
            }
        }
        followed
    });
    assert_eq!(followed.len(), 300);
    assert_eq!(followed, texts(store.read(Read::query(of_tag("x:1")))).unwrap());
}

/// How often this thread went to sleep.
fn sleeps() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

#[test]
fn an_idle_subscription_sleeps_and_does_not_look_again_and_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    let mut subscription = without_timer(store.subscribe(Read::all()));
    assert_eq!(say(&mut subscription), Said::CaughtUp(0));
    let before = sleeps();
    assert_eq!(say_within(&mut subscription, Duration::from_millis(500)), Said::TimedOut(0));
    let count = sleeps() - before;
    assert!((1..10).contains(&count), "it slept {count} times");
}
