//! Subscriptions, from what is there to what comes: whoever sleeps is woken, for deadlines never come here.

use crate::explore::explore;
use crate::scene::{SimulatedStore, event, open, request, text_of};
use gesta::disk::SimulatedDisk;
use gesta::{AppendRequest, Durability, Notice, Pace, Query, QueryItem, Read, Tag};
use shuttle::thread;
use std::sync::Arc;
use std::time::Duration;

const EARLIER: usize = 2;
const APPENDERS: usize = 2;
const APPENDS: usize = 4;
const ALL: usize = EARLIER + APPENDERS * APPENDS;

/// The texts of the next events, with their positions rising, each where the subscription says that it has come to.
fn follow(store: &Arc<SimulatedStore>, read: Read, count: usize) -> Vec<String> {
    let pace = Pace { progress_every: Duration::MAX, behind_after: 2, ..Pace::default() };
    let mut subscription = store.subscribe(read).pace(pace);
    let mut texts: Vec<String> = Vec::new();
    let mut position = 0;
    while texts.len() < count {
        let notice = subscription.next(Duration::MAX).unwrap();
        assert!(notice.position().0 >= position, "it went back from {position}");
        position = notice.position().0;
        match notice {
            Notice::Event(event) => texts.push(text_of(event.data().bytes())),
            Notice::CaughtUp(_) | Notice::FellBehind(_) => {}
            other => panic!("{other:?}"),
        }
    }
    texts
}

fn tagged(appender: usize, number: usize) -> AppendRequest {
    let tag = Tag::new(format!("n:{}", number % 2)).unwrap();
    AppendRequest::new().event(event(&format!("a-{appender}"), &format!("{appender}/{number}"), false).tag(tag))
}

pub(crate) fn a_subscription_beside_appenders() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    for number in 0..EARLIER {
        store.append(request("earlier", &number.to_string())).unwrap();
    }
    let of_all = Arc::clone(&store);
    let of_all = thread::spawn(move || follow(&of_all, Read::all(), ALL));
    let of_some = Arc::clone(&store);
    let even = Query::from(QueryItem::new().tag(Tag::new("n:0").unwrap()));
    let of_some = thread::spawn(move || follow(&of_some, Read::query(even), APPENDERS * APPENDS / 2));
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|appender| {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                for number in 0..APPENDS {
                    let durability = if number % 3 == 1 { Durability::Written } else { Durability::Durable };
                    store.append(tagged(appender, number).durability(durability)).unwrap();
                }
            })
        })
        .collect();
    appenders.into_iter().for_each(|appender| appender.join().unwrap());
    let (of_all, of_some) = (of_all.join().unwrap(), of_some.join().unwrap());
    assert_eq!(of_all.iter().map(|text| text.as_str()).take(EARLIER).collect::<Vec<_>>(), ["0", "1"]);
    for appender in 0..APPENDERS {
        let its = |texts: &[String]| -> Vec<String> {
            texts.iter().filter(|text| text.starts_with(&format!("{appender}/"))).cloned().collect()
        };
        let every: Vec<String> = (0..APPENDS).map(|number| format!("{appender}/{number}")).collect();
        assert_eq!(its(&of_all), every, "skipped or twice");
        let even: Vec<String> = (0..APPENDS).step_by(2).map(|number| format!("{appender}/{number}")).collect();
        assert_eq!(its(&of_some), even, "skipped or twice");
    }
    let order: Vec<&String> = of_all.iter().filter(|text| of_some.contains(text)).collect();
    assert_eq!(order, of_some.iter().collect::<Vec<_>>(), "in another order");
}

pub(crate) fn a_subscriber_that_sleeps() {
    let disk = SimulatedDisk::new(1);
    let store = open(&disk);
    let following = Arc::clone(&store);
    let follower = thread::spawn(move || follow(&following, Read::all(), 2));
    for number in 0..2 {
        store.append(request("a-1", &number.to_string())).unwrap();
    }
    assert_eq!(follower.join().unwrap(), ["0", "1"]);
}

#[test]
fn a_subscriber_that_sleeps_is_woken_by_the_next_event() {
    explore(a_subscriber_that_sleeps);
}

#[test]
fn a_subscription_skips_nothing_and_tells_nothing_twice_when_it_comes_to_the_live_end() {
    explore(a_subscription_beside_appenders);
}
