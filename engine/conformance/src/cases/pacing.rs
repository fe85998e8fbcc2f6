//! How far a subscription says it has come when no event is there to say it.

use crate::Harness;
use crate::support::{
    A_MOMENT, PATIENCE, Said, eager, events_then, put_event, query, quiet, say, say_until, say_within, settle,
    subscribe, tagged,
};
use gesta_model::{AppendRequest, EventReader, EventStore, EventSubscription, Pace, Position, Read};
use std::time::Duration;

/// Progress is told when nothing matches, up to the head; and again when nothing happens.
pub fn progress_is_told_when_nothing_matches_and_when_nothing_happens<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, tagged("x:1", "0"));
    let mut subscription = subscribe(&store, Read::query(query("tag=x:1")), eager());
    say_until(&mut subscription, &Said::CaughtUp(1));
    for _ in 0..3 {
        assert_eq!(say(&mut subscription), Said::Progress(1));
    }
    for _ in 0..5 {
        put_event(&store, tagged("x:2", "not of it"));
    }
    let said = say_until(&mut subscription, &Said::Progress(6));
    assert!(said.iter().all(|said| matches!(said, Said::Progress(1..=6))), "{said:?}");
    put_event(&store, tagged("x:1", "1"));
    let said = say_until(&mut subscription, &Said::Event("1".to_owned()));
    assert_eq!(subscription.position(), Position(7), "{said:?}");
}

/// Without a timer no progress is told; a wait ends at its timeout, and the position has moved on all the same.
pub fn a_wait_ends_at_its_timeout_and_the_position_moves_on<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let mut subscription = subscribe(&store, Read::query(query("tag=x:1")), quiet());
    assert_eq!(say(&mut subscription), Said::CaughtUp(0));
    assert_eq!(say_within(&mut subscription, A_MOMENT), Said::TimedOut(0));
    for _ in 0..5 {
        put_event(&store, tagged("x:2", "not of it"));
    }
    let mut rounds = 0;
    while subscription.position() < Position(5) {
        let said = say_within(&mut subscription, A_MOMENT);
        assert!(matches!(said, Said::TimedOut(0..=5)) && rounds < 1_000, "{said:?} in round {rounds}");
        rounds += 1;
    }
    put_event(&store, tagged("x:1", "0"));
    assert_eq!(say(&mut subscription), Said::Event("0".to_owned()));
}

/// Who falls behind is told so where it stands, and told again when it has caught up.
pub fn who_falls_behind_is_told_so_and_told_when_caught_up_again<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let append = |from: u32, count: u32| {
        let events = (from..from + count).map(|number| tagged("x:1", &number.to_string()));
        store.append(AppendRequest::new().events(events)).unwrap();
    };
    let numbers = |from: u32, count: u32| (from..from + count).map(|number| number.to_string()).collect::<Vec<_>>();
    let said = |from, count, last| {
        let numbers = numbers(from, count);
        events_then(&numbers.iter().map(String::as_str).collect::<Vec<_>>(), last)
    };
    // However much there is at first, nobody is behind before having caught up.
    append(0, 50);
    let mut subscription = subscribe(&store, Read::all(), Pace { behind_after: 10, ..quiet() });
    assert_eq!(say_until(&mut subscription, &Said::CaughtUp(50)), said(0, 50, Said::CaughtUp(50)));
    // Not more than ten at once is not behind.
    append(50, 10);
    assert_eq!(say_until(&mut subscription, &Said::Event("59".to_owned())), said(50, 9, Said::Event("59".to_owned())));
    // Eleven at once are, since they come to be seen together.
    append(60, 11);
    assert_eq!(say(&mut subscription), Said::FellBehind(60));
    assert_eq!(say_until(&mut subscription, &Said::CaughtUp(71)), said(60, 11, Said::CaughtUp(71)));
    append(71, 30);
    assert_eq!(say(&mut subscription), Said::FellBehind(71));
    assert_eq!(say_until(&mut subscription, &Said::CaughtUp(101)), said(71, 30, Said::CaughtUp(101)));
    assert_eq!(say_within(&mut subscription, A_MOMENT), Said::TimedOut(101));
}

/// What does not match is not in the way: nobody falls behind by it.
pub fn nobody_falls_behind_by_what_does_not_match<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let mut subscription = subscribe(&store, Read::query(query("tag=x:1")), Pace { behind_after: 3, ..quiet() });
    assert_eq!(say(&mut subscription), Said::CaughtUp(0));
    store.append(AppendRequest::new().events((0..50).map(|_| tagged("x:2", "other")))).unwrap();
    put_event(&store, tagged("x:1", "wanted"));
    assert_eq!(say(&mut subscription), Said::Event("wanted".to_owned()));
}

/// Positions never go back and never pass the head, whatever is said.
pub fn positions_never_go_back_and_never_pass_the_head<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let pace = Pace { progress_every: Duration::ZERO, behind_after: 1 };
    let mut subscription = subscribe(&store, Read::query(query("tag=x:1")), pace);
    let mut last = Position::START;
    for number in 0..100 {
        put_event(&store, tagged(["x:1", "x:2", "x:2"][number % 3], "x"));
        for _ in 0..number % 3 {
            say(&mut subscription);
            let position = subscription.position();
            assert!(last <= position && position <= store.head().unwrap());
            last = position;
        }
    }
    let head = settle(&store);
    let deadline = std::time::Instant::now() + PATIENCE;
    while subscription.position() < head {
        assert!(std::time::Instant::now() < deadline, "it stays at {}", subscription.position());
        say(&mut subscription);
    }
}
