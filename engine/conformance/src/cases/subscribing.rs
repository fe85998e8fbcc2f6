//! Subscriptions: what is there, then what comes, and nothing twice.

use crate::Harness;
use crate::support::{
    A_MOMENT, PATIENCE, Said, eager, event, events, events_then, put, put_event, query, quiet, read, request, say,
    say_until, say_within, settle, stream, subscribe, tag, tagged, write,
};
use gesta_model::{
    AppendRequest, EventReader, EventStore, EventSubscription, Notice, Pace, Position, Read, ReadError, Revision,
    Timestamp,
};
use std::time::Duration;

/// Everything, a stream and a query are followed: what is there, that it was caught up with, and then what comes.
pub fn what_is_there_comes_first_and_then_what_is_appended<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, event("a-1", "0").tag(tag("x:1")));
    put_event(&store, event("b-1", "1").tag(tag("x:2")));
    let caught_up = Said::CaughtUp(2);
    let mut of_all = subscribe(&store, Read::all(), quiet());
    let mut of_stream = subscribe(&store, Read::stream(stream("b-1")), quiet());
    let mut of_query = subscribe(&store, Read::query(query("tag=x:1")), quiet());
    assert_eq!(say_until(&mut of_all, &caught_up), events_then(&["0", "1"], caught_up.clone()));
    assert_eq!(say_until(&mut of_stream, &caught_up), events_then(&["1"], caught_up.clone()));
    assert_eq!(say_until(&mut of_query, &caught_up), events_then(&["0"], caught_up.clone()));
    put_event(&store, event("b-1", "2").tag(tag("x:1")));
    put_event(&store, event("a-1", "3").tag(tag("x:2")));
    assert_eq!([say(&mut of_all), say(&mut of_all)], *events(&["2", "3"]));
    assert_eq!(say(&mut of_stream), Said::Event("2".to_owned()));
    assert_eq!(say(&mut of_query), Said::Event("2".to_owned()));
    assert_eq!(say_within(&mut of_all, A_MOMENT), Said::TimedOut(4));
}

/// A subscription to nothing has caught up at once, and gets what comes.
pub fn a_subscription_without_events_has_caught_up_at_once<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let mut of_all = subscribe(&store, Read::all(), quiet());
    assert_eq!(say(&mut of_all), Said::CaughtUp(0));
    assert_eq!(say_within(&mut of_all, A_MOMENT), Said::TimedOut(0));
    assert_eq!(say_within(&mut of_all, Duration::ZERO), Said::TimedOut(0));
    put_event(&store, tagged("x:1", "0"));
    assert_eq!(say(&mut of_all), Said::Event("0".to_owned()));
    let mut unmatched = subscribe(&store, Read::query(query("tag=x:2")), quiet());
    assert_eq!(say(&mut unmatched), Said::CaughtUp(1));
}

/// A subscription begins at a position, in the log or beyond it, and at a revision or a moment.
pub fn a_subscription_begins_where_it_is_asked_to<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1"]);
    let from = |from| Read::all().from(Position(from));
    let mut at_one = subscribe(&store, from(1), quiet());
    let mut at_head = subscribe(&store, from(2), quiet());
    let mut beyond = subscribe(&store, from(3), quiet());
    let mut at_revision = subscribe(&store, Read::stream(stream("a-1")).from_revision(Revision(3)), quiet());
    let mut never = subscribe(&store, Read::all().since(Timestamp(i64::MAX)), quiet());
    assert_eq!([at_one.position(), at_head.position(), beyond.position()], [Position(1), Position(2), Position(3)]);
    assert_eq!(say_until(&mut at_one, &Said::CaughtUp(2)), events_then(&["1"], Said::CaughtUp(2)));
    assert_eq!(say(&mut at_head), Said::CaughtUp(2));
    assert_eq!(say(&mut beyond), Said::CaughtUp(3));
    assert_eq!([say(&mut at_revision), say(&mut never)], [Said::CaughtUp(2), Said::CaughtUp(2)]);
    put(&store, "a-1", &["2", "3"]);
    assert_eq!([say(&mut at_head), say(&mut at_head)], *events(&["2", "3"]));
    assert_eq!(say(&mut beyond), Said::Event("3".to_owned()));
    assert_eq!(say(&mut at_revision), Said::Event("3".to_owned()));
    // Nothing is handed out, and where it stands moves on in time.
    let mut rounds = 0;
    while never.position() < Position(4) {
        let said = say_within(&mut never, A_MOMENT);
        assert!(matches!(said, Said::TimedOut(2..=4)) && rounds < 1_000, "{said:?} in round {rounds}");
        rounds += 1;
    }
}

/// A subscription goes forward, whatever direction the read has.
pub fn a_subscription_goes_forward<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1", "2"]);
    for asked in [Read::all().backwards(), Read::stream(stream("a-1")).backwards().from(Position(0))] {
        let said = say_until(&mut subscribe(&store, asked, quiet()), &Said::CaughtUp(3));
        assert_eq!(said, events_then(&["0", "1", "2"], Said::CaughtUp(3)));
    }
}

/// At its limit a subscription ends, and says so each time it is asked.
pub fn a_subscription_ends_at_its_limit<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, tagged("x:1", "0"));
    put_event(&store, tagged("x:2", "1"));
    let mut limited = subscribe(&store, Read::query(query("tag=x:1")).limit(2), quiet());
    assert_eq!(say_until(&mut limited, &Said::CaughtUp(2)), events_then(&["0"], Said::CaughtUp(2)));
    for data in ["2", "3"] {
        put_event(&store, tagged("x:1", data));
    }
    assert_eq!(say(&mut limited), Said::Event("2".to_owned()));
    assert_eq!([say(&mut limited), say(&mut limited)], [Said::Ended(3), Said::Ended(3)]);
    assert_eq!(say(&mut subscribe(&store, Read::all().limit(0).from(Position(1)), quiet())), Said::Ended(1));
}

/// Whoever begins again at the position of any notice gets exactly the rest.
pub fn whoever_resumes_at_a_position_gets_exactly_the_rest<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let asked = |from| Read::query(query("tag=x:1")).from(from);
    let pace = Pace { behind_after: 2, ..eager() };
    let (mut checkpoint, mut resumed, mut expected) = (Position::START, Vec::new(), Vec::new());
    for round in 0..42 {
        let mut drafts = Vec::new();
        for number in 0..round % 7 {
            let (text, data) = (["x:2", "x:1", "x:2"][number % 3], format!("{round}.{number}"));
            drafts.push(tagged(text, &data));
            expected.extend((text == "x:1").then_some(data));
        }
        store.append(AppendRequest::new().events(drafts)).unwrap();
        let mut again = subscribe(&store, asked(checkpoint), pace);
        for _ in 0..=round % 4 {
            if let Said::Event(data) = say(&mut again) {
                resumed.push(data);
            }
            checkpoint = again.position();
        }
    }
    let mut last = subscribe(&store, asked(checkpoint), quiet());
    loop {
        match say(&mut last) {
            Said::Event(data) => resumed.push(data),
            Said::CaughtUp(position) => break assert_eq!(Position(position), store.head().unwrap()),
            said => panic!("{said:?}"),
        }
    }
    assert!(expected.len() > 30);
    assert_eq!(resumed, expected);
}

/// A subscription resumes in the next life of the store.
pub fn a_checkpoint_holds_in_the_next_life<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1"]);
    let mut first = subscribe(&store, Read::all(), quiet());
    assert_eq!(say(&mut first), Said::Event("0".to_owned()));
    let checkpoint = first.position();
    drop(first);
    let store = harness.reopen(store);
    put(&store, "a-1", &["2"]);
    let mut again = subscribe(&store, Read::all().from(checkpoint), quiet());
    assert_eq!(say_until(&mut again, &Said::CaughtUp(3)), events_then(&["1", "2"], Said::CaughtUp(3)));
}

/// Unsynced events cannot be subscribed to: refused when it is asked for, or each time it is asked for more.
pub fn a_subscription_to_unsynced_events_is_refused<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0"]);
    for _ in 0..2 {
        let refused = match store.subscribe(Read::all().unsynced(), quiet()) {
            Err(error) => error,
            Ok(mut subscription) => {
                let first = subscription.next(PATIENCE).map(|notice| format!("{notice:?}")).unwrap_err();
                assert!(matches!(first, ReadError::UnsyncedSubscription), "{first}");
                subscription.next(PATIENCE).map(|notice| format!("{notice:?}")).unwrap_err()
            }
        };
        assert!(matches!(refused, ReadError::UnsyncedSubscription), "{refused}");
    }
}

/// Only what is durable is handed out.
pub fn only_what_is_durable_is_handed_out<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let mut subscription = subscribe(&store, Read::all(), quiet());
    assert_eq!(say(&mut subscription), Said::CaughtUp(0));
    for number in 0..20 {
        write(&store, event("a-1", &number.to_string()));
        say_within(&mut subscription, Duration::ZERO);
        assert!(subscription.position() <= store.head().unwrap());
    }
    let handed_out = subscription.position().0;
    settle(&store);
    for number in handed_out..20 {
        assert_eq!(say(&mut subscription), Said::Event(number.to_string()));
    }
}

/// When an event was taken is told with it, as by a read.
pub fn a_subscription_tells_when_an_event_was_taken<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0"]);
    put(&store, "a-1", &["1"]);
    let times: Vec<Timestamp> = read(&store, Read::all()).iter().map(|event| event.recorded_at()).collect();
    let mut subscription = subscribe(&store, Read::all(), quiet());
    assert_eq!(subscription.recorded_at(), None);
    for time in times {
        assert!(matches!(subscription.next(PATIENCE), Ok(Notice::Event(_))));
        assert_eq!(subscription.recorded_at(), Some(time));
    }
}

/// Subscriptions on many threads get every match as it comes, once and in order.
pub fn subscriptions_of_many_threads_get_every_match<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let count = 240;
    std::thread::scope(|scope| {
        let store = &store;
        for follower in 0..4 {
            scope.spawn(move || {
                let asked = Read::query(query(&format!("tag=follower:{follower}")));
                let mut subscription = subscribe(store, asked, quiet());
                let mut expected = (follower..count).step_by(4).peekable();
                while let Some(number) = expected.peek() {
                    match say(&mut subscription) {
                        Said::Event(data) => assert_eq!(data, number.to_string()),
                        Said::CaughtUp(_) => continue,
                        said => panic!("{said:?}"),
                    }
                    expected.next();
                }
            });
        }
        for number in 0..count {
            put_event(store, tagged(&format!("follower:{}", number % 4), &number.to_string()));
        }
    });
}

/// Thousands of events are caught up with, those of one request too, and what comes meanwhile is not left out.
pub fn a_long_log_is_caught_up_with<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let put_many = |from: u32| {
        let events = (from..from + 3_000).map(|number| event("a-1", &number.to_string()));
        store.append(AppendRequest::new().events(events)).unwrap();
    };
    put_many(0);
    let mut subscription = subscribe(&store, Read::stream(stream("a-1")), quiet());
    for number in 0..100 {
        assert_eq!(say(&mut subscription), Said::Event(number.to_string()));
    }
    put_many(3_000);
    let mut next: u32 = 100;
    while next < 6_000 {
        match say(&mut subscription) {
            Said::Event(data) => {
                assert_eq!(data, next.to_string());
                next += 1;
            }
            // With the head as it was when the first events were sent off.
            Said::CaughtUp(position) => assert_eq!(position, u64::from(next)),
            said => panic!("{said:?}"),
        }
    }
}

/// Subscriptions that are dropped at any moment leave the store and each other as they were.
pub fn subscriptions_may_be_left_at_any_moment<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let mut steady = subscribe(&store, Read::all(), quiet());
    assert_eq!(say(&mut steady), Said::CaughtUp(0));
    for round in 0..40 {
        store.append(request("a-1", &[&round.to_string()])).unwrap();
        let mut left = subscribe(&store, Read::all(), eager());
        for _ in 0..round % 5 {
            say(&mut left);
        }
        drop(left);
        assert_eq!(say(&mut steady), Said::Event(round.to_string()));
    }
}
