//! Checks that nothing matches a query: what was decided on is still all there is.

use crate::Harness;
use crate::support::{conflict, event, of_type, put, put_event, query, request, settle, stream, tag, tagged, write};
use gesta_model::{
    AppendError, AppendRequest, EventCursor, EventReader, EventStore, EventType, ExpectedRevision, FailedCheck,
    Position, Query, QueryItem, Read, Revision,
};

fn unless(text: &str, after: u64) -> AppendRequest {
    AppendRequest::new().unless(query(text), Position(after))
}

fn found(text: &str, after: u64, found: u64) -> FailedCheck {
    FailedCheck::Query { query: query(text), after: Position(after), found: Position(found) }
}

/// A condition counts what stands at `after` or later, and names the last match.
pub fn a_condition_counts_from_its_position_on<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for text in ["x:1", "y:1", "x:1", "y:1"] {
        put_event(&store, tagged(text, "x"));
    }
    for after in 0..=2 {
        assert_eq!(conflict(&store, unless("tag=x:1", after)).failed, [found("tag=x:1", after, 2)]);
    }
    for after in [3, 4, 5, 1 << 40, u64::MAX] {
        store.append(unless("tag=x:1", after)).unwrap_or_else(|error| panic!("after {after}: {error}"));
    }
    assert_eq!(conflict(&store, unless("tag=y:1", 3)).failed, [found("tag=y:1", 3, 3)]);
    store.append(unless("tag=y:1", 4)).unwrap();
}

/// Every way to say which events are meant is judged as it is read.
pub fn every_term_of_a_query_is_judged<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, of_type("Placed").stream(stream("order-1")).tag(tag("customer:4")).tag(tag("country:nl")));
    put_event(&store, of_type("Paid").stream(stream("order-2")).tag(tag("customer:5")));
    put_event(&store, of_type("Noted"));
    let failing = [
        ("type=Placed", 0),
        ("type=Closed,Paid", 1),
        ("tag=customer:4", 0),
        ("tag=country:nl tag=customer:4", 0),
        ("stream=order-2", 1),
        ("category=order", 1),
        ("type=Paid category=order tag=customer:5", 1),
        ("type=Closed | stream=order-1", 0),
        ("type=Paid | type=Placed", 1),
        ("type=Noted", 2),
        ("*", 2),
    ];
    for (text, position) in failing {
        assert_eq!(conflict(&store, unless(text, 0)).failed, [found(text, 0, position)], "{text}");
        store.append(unless(text, position + 1)).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let holding = [
        "type=Closed",
        "tag=customer:4 tag=customer:5",
        "type=Paid tag=customer:4",
        "stream=order",
        "stream=order-1 category=invoice",
        "type=placed",
        "tag=customer:44 | tag=country:n",
    ];
    for text in holding {
        store.append(unless(text, 0)).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

/// A condition is judged before the request's own events, and the next one sees them.
pub fn a_condition_does_not_see_the_requests_own_events<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let take = || unless("tag=name:ada", 0).event(tagged("name:ada", "x")).event(tagged("name:ada", "y"));
    store.append(take()).unwrap();
    assert_eq!(conflict(&store, take()).failed, [found("tag=name:ada", 0, 1)]);
}

/// Conditions and expected revisions stand in one request; all that fail are told in the order asked.
pub fn conditions_and_revisions_are_told_in_the_order_asked<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, event("a-1", "x").tag(tag("x:1")));
    let asked = unless("tag=x:1", 0)
        .expect(stream("a-1"), ExpectedRevision::Exactly(Revision(0)))
        .expect(stream("a-1"), ExpectedRevision::NoStream)
        .unless(query("tag=x:2"), Position(0))
        .unless(query("*"), Position(0));
    let revision =
        FailedCheck::Stream { stream: stream("a-1"), expected: ExpectedRevision::NoStream, actual: Some(Revision(0)) };
    let refused = conflict(&store, asked);
    assert_eq!(refused.failed, [found("tag=x:1", 0, 0), revision, found("*", 0, 0)]);
    assert_eq!(refused.head, Position(1));
}

/// What is accepted and not synced yet counts.
pub fn a_condition_sees_what_is_not_synced_yet<H: Harness>(harness: &H) {
    let store = harness.fresh();
    write(&store, tagged("x:1", "x"));
    match store.append(unless("tag=x:1", 0)) {
        Err(AppendError::Conflict(refused)) => assert_eq!(refused.failed, [found("tag=x:1", 0, 0)]),
        outcome => panic!("{outcome:?}"),
    }
    let submitted = store.submit(unless("tag=x:2", 0).event(tagged("x:2", "x"))).unwrap();
    assert_eq!(conflict(&store, unless("tag=x:2", 0)).failed, [found("tag=x:2", 0, 1)]);
    gesta_model::AppendTicket::wait(submitted).unwrap();
}

/// Conditions hold across the lives of a store.
pub fn conditions_hold_after_a_reopening<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, tagged("x:1", "x"));
    let store = harness.reopen(store);
    assert_eq!(conflict(&store, unless("tag=x:1", 0)).failed, [found("tag=x:1", 0, 0)]);
    store.append(unless("tag=x:1", 1).event(tagged("x:1", "x"))).unwrap();
}

/// A condition of a thousand items, and one of a thousand types, is judged.
pub fn a_wide_condition_is_judged<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, tagged("n:777", "x"));
    put(&store, "a-1", &["y"]);
    let items = (0..1_000).map(|number| QueryItem::new().tag(tag(&format!("n:{number}"))));
    let wide = Query::new(items).unwrap();
    let refused = conflict(&store, AppendRequest::new().unless(wide.clone(), Position(0)));
    let expected = FailedCheck::Query { query: wide.clone(), after: Position(0), found: Position(0) };
    assert_eq!(refused.failed, [expected]);
    store.append(AppendRequest::new().unless(wide, Position(1))).unwrap();
    let types = (0..1_000).map(|number| EventType::new(format!("t{number}")).unwrap());
    let of_types = Query::from(QueryItem { types: types.collect(), ..QueryItem::new() });
    store.append(AppendRequest::new().unless(of_types, Position(0))).unwrap();
}

/// The head of a read is what a later condition passes: what the decision knew does not conflict, what came after does.
pub fn the_head_of_a_read_is_where_its_condition_begins<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, tagged("x:1", "known"));
    let cursor = store.read(Read::query(query("tag=x:1"))).unwrap();
    put(&store, "a-1", &["of no matter"]);
    store.append(unless("tag=x:1", cursor.head().0).event(tagged("x:1", "decided"))).unwrap();
    assert_eq!(conflict(&store, unless("tag=x:1", cursor.head().0)).failed, [found("tag=x:1", 1, 2)]);
}

/// Eight callers read, decide and append on condition until forty seats are taken: no more are sold.
pub fn of_many_who_decide_on_what_they_read_none_oversells<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let take_all = || {
        let mut taken = 0;
        loop {
            let mut cursor = store.read(Read::query(query("type=Taken"))).unwrap();
            let mut count = 0;
            while let Some(record) = cursor.next_record() {
                record.unwrap();
                count += 1;
            }
            if count == 40 {
                return taken;
            }
            match store.append(AppendRequest::new().event(of_type("Taken")).unless(query("type=Taken"), cursor.head()))
            {
                Ok(_) => taken += 1,
                Err(AppendError::Conflict(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let taken: u32 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(take_all)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((taken, settle(&store)), (40, Position(40)));
    store.append(request("a-1", &["x"]).unless(query("type=Taken"), Position(40))).unwrap();
}
