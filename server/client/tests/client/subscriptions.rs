//! Unbounded reads, over connections that come and go.

use crate::events::{batches, begun, ended, events};
use crate::script::{Ports, encoded, follow, impatient};
use gesta_client::{BlockingSubscription, ClientOptions, Plane};
use gesta_model::{EventReader, EventSubscription, Incarnation, Notice, Pace, Position, Read, ReadError, RemoteError};
use gesta_protocol::{Answer, Code, Kind, Refusal};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// The next notice, as text.
fn said(subscription: &mut BlockingSubscription) -> String {
    let notice = subscription.next(PATIENCE).unwrap();
    let text = match notice {
        Notice::Event(record) => format!("event {}", record.position()),
        other => format!("{other:?}"),
    };
    let position = notice.position();
    assert_eq!(position, subscription.position());
    text
}

/// Every report is wanted.
fn talkative() -> Pace {
    Pace { progress_every: Duration::ZERO, ..Pace::default() }
}

fn word(id: u64, answer: &Answer<'_>) -> Vec<u8> {
    encoded(id, answer)
}

#[test]
fn a_subscription_goes_on_over_the_next_connection_and_says_nothing_twice() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        let first = asked.read();
        let caught_up = word(asked.id, &Answer::CaughtUp(Position(2)));
        peer.send(&[begun(asked.id, 2), batches(asked.id, [0..1, 1..2]), caught_up, events(asked.id, [2])].concat());
        // The connection ends in the middle of the next event.
        peer.send(&events(asked.id, [3])[..40]);
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        let second = asked.read();
        let caught_up = word(asked.id, &Answer::CaughtUp(Position(4)));
        peer.send(&[begun(asked.id, 4), events(asked.id, [3]), caught_up].concat());
        peer.send(&word(asked.id, &Answer::Refused(Refusal::new(Code::Stopping, "stopping").fatal())));
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        let third = asked.read();
        peer.send(&[begun(asked.id, 4), word(asked.id, &Answer::TooSlow(Position(4)))].concat());
        let asked = peer.next();
        peer.send(&[begun(asked.id, 4), events(asked.id, [4])].concat());
        assert_eq!((peer.next().kind(), peer.try_next().is_none()), (Kind::Cancel, true));
        (first, second, third)
    });
    let pace = Pace { progress_every: Duration::from_millis(700), behind_after: 50 };
    let mut subscription = client.subscribe(Read::all().backwards(), pace).unwrap();
    let heard: Vec<_> = (0..6).map(|_| said(&mut subscription)).collect();
    let expected = ["event 0", "event 1", "CaughtUp(Position(2))", "event 2", "event 3", "event 4"];
    assert_eq!(heard, expected);
    drop((subscription, client));
    let (first, second, third) = server.join().unwrap();
    assert_eq!((first.read, first.follow, first.given_in), (Read::all(), Some(pace), None));
    assert_eq!((second.read, second.given_in), (Read::all().from(Position(3)), Some(Incarnation(1))));
    assert_eq!((third.read, third.follow), (Read::all().from(Position(4)), Some(pace)));
}

#[test]
fn a_subscription_that_comes_back_far_behind_says_so_once() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 2), word(asked.id, &Answer::CaughtUp(Position(2)))].concat());
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        let caught_up = word(asked.id, &Answer::CaughtUp(Position(13)));
        peer.send(&[begun(asked.id, 13), events(asked.id, [12]), caught_up].concat());
        peer.try_next();
    });
    let pace = Pace { progress_every: Duration::MAX, behind_after: 10 };
    let mut subscription = client.subscribe(Read::all(), pace).unwrap();
    let heard: Vec<_> = (0..4).map(|_| said(&mut subscription)).collect();
    assert_eq!(heard, ["CaughtUp(Position(2))", "FellBehind(Position(2))", "event 12", "CaughtUp(Position(13))"]);
    drop((subscription, client));
    server.join().unwrap();
}

#[test]
fn words_move_the_position_that_a_subscription_goes_on_from() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let words = [
            Answer::Progress(Position(5)),
            Answer::CaughtUp(Position(7)),
            Answer::FellBehind(Position(8)),
            Answer::CaughtUp(Position(30)),
        ];
        let froms: Vec<_> = words
            .iter()
            .map(|answer| {
                let mut peer = ports.greet(Plane::Read);
                let asked = peer.next();
                peer.send(&[begun(asked.id, 7), word(asked.id, answer)].concat());
                asked.read().read.from
            })
            .collect();
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 30), ended(asked.id, 31)].concat());
        peer.try_next();
        (froms, asked.read().read.from)
    });
    let mut subscription = client.subscribe(Read::all(), talkative()).unwrap();
    let heard: Vec<_> = (0..6).map(|_| said(&mut subscription)).collect();
    let expected = [
        "Progress(Position(5))",
        "CaughtUp(Position(7))",
        "FellBehind(Position(8))",
        "CaughtUp(Position(30))",
        "Ended(Position(31))",
        "Ended(Position(31))",
    ];
    assert_eq!(heard, expected);
    drop((subscription, client));
    let (froms, last) = server.join().unwrap();
    assert_eq!(froms, [None, Some(Position(5)), Some(Position(7)), Some(Position(8))]);
    assert_eq!(last, Some(Position(30)));
}

#[test]
fn waiting_ends_with_the_timeout_and_loses_nothing() {
    let ports = Ports::open();
    let client = ports.client();
    let (go_on, may_go_on) = std::sync::mpsc::channel();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&begun(asked.id, 1));
        may_go_on.recv().unwrap();
        drop(peer);
        // The next connection is not welcomed before the reader has waited for it in vain.
        let mut peer = ports.accept(Plane::Read);
        may_go_on.recv().unwrap();
        let id = peer.hello(|_| {});
        peer.say(id, &Answer::Welcome(Box::new(crate::script::welcome())));
        let asked = peer.next();
        peer.send(&[begun(asked.id, 1), events(asked.id, [0])].concat());
        peer.try_next();
    });
    let mut subscription = client.subscribe(Read::all(), Pace::default()).unwrap();
    let timed_out = |subscription: &mut BlockingSubscription, patience| {
        matches!(subscription.next(patience), Ok(Notice::TimedOut(Position(0))))
    };
    assert!(timed_out(&mut subscription, Duration::ZERO));
    assert!(timed_out(&mut subscription, Duration::from_millis(10)));
    go_on.send(()).unwrap();
    for _ in 0..20 {
        assert!(timed_out(&mut subscription, Duration::from_millis(5)));
    }
    go_on.send(()).unwrap();
    assert_eq!(said(&mut subscription), "event 0");
    drop((subscription, client));
    server.join().unwrap();
}

#[test]
fn a_subscription_outlives_an_outage_that_was_told_as_an_error() {
    let ports = Ports::open();
    let client = ports.client_with(impatient());
    let (outage, was_told) = std::sync::mpsc::channel();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 9), events(asked.id, [0])].concat());
        drop(peer);
        while was_told.try_recv().is_err() {
            drop(ports.greet(Plane::Read).try_next());
        }
        // Those who had connected while it was told are let go as well.
        loop {
            let mut peer = ports.greet(Plane::Read);
            let Some(asked) = peer.try_next() else { continue };
            assert_eq!(asked.read().read.from, Some(Position(1)));
            peer.send(&[begun(asked.id, 9), events(asked.id, [4])].concat());
            peer.try_next();
            break;
        }
    });
    let mut subscription = client.subscribe(Read::all(), Pace::default()).unwrap();
    assert_eq!(said(&mut subscription), "event 0");
    let error = subscription.next(PATIENCE).unwrap_err();
    let is_of_the_way =
        matches!(&error, ReadError::Remote(RemoteError::Unanswered { .. } | RemoteError::Unreachable { .. }));
    assert!(is_of_the_way, "{error:?}");
    outage.send(()).unwrap();
    let next = loop {
        match subscription.next(PATIENCE) {
            Ok(Notice::Event(record)) => break record.position(),
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    };
    assert_eq!(next, Position(4));
    drop((subscription, client));
    server.join().unwrap();
}

#[test]
fn reports_of_a_subscription_that_nobody_asks_are_not_hoarded() {
    let ports = Ports::open();
    let client = ports.client();
    let (said_all, was_said) = std::sync::mpsc::channel();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&begun(asked.id, 1));
        for position in 0..1000 {
            peer.send(&word(asked.id, &Answer::Progress(Position(position))));
        }
        // The answer to this comes after all of the above was taken.
        peer.say(0, &Answer::Ping);
        while peer.next().kind() != Kind::Pong {}
        said_all.send(()).unwrap();
        peer.try_next();
    });
    let mut subscription = client.subscribe(Read::all(), talkative()).unwrap();
    was_said.recv().unwrap();
    let first = said(&mut subscription);
    let heard =
        std::iter::successors(Some(first), |last| (last != "Progress(Position(999))").then(|| said(&mut subscription)));
    assert!(heard.count() < 10);
    drop((subscription, client));
    server.join().unwrap();
}

#[test]
fn unsynced_events_cannot_be_subscribed_to() {
    let ports = Ports::open();
    let client = ports.client_with(ClientOptions::default());
    let mut subscription = client.subscribe(Read::all().unsynced(), Pace::default()).unwrap();
    for _ in 0..2 {
        assert!(matches!(subscription.next(PATIENCE), Err(ReadError::UnsyncedSubscription)));
    }
}

#[test]
fn a_subscription_goes_on_elsewhere_when_its_server_closes_and_then_ends() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut closing = ports.greet(Plane::Read);
        let asked = closing.next();
        closing.send(&[begun(asked.id, 3), events(asked.id, [0])].concat());
        closing.say(0, &Answer::Closing);
        // What was on its way still comes.
        closing.send(&events(asked.id, [1]));
        closing.say(0, &Answer::Refused(Refusal::new(Code::Stopping, "stopping").fatal()));
        let mut next = ports.greet(Plane::Read);
        let asked = next.next();
        next.send(&[begun(asked.id, 3), events(asked.id, [2])].concat());
        next.try_next();
        asked.read().read
    });
    let mut subscription = client.subscribe(Read::all(), Pace::default()).unwrap();
    let heard: Vec<_> = (0..3).map(|_| said(&mut subscription)).collect();
    assert_eq!(heard, ["event 0", "event 1", "event 2"]);
    drop((subscription, client));
    assert_eq!(server.join().unwrap(), Read::all().from(Position(2)));
}
