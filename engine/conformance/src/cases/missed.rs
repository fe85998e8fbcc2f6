//! The events that a conflict brings: those that its caller did not know of, in their order, as many as were asked for.

use crate::Harness;
use crate::support::{conflict, event, put, put_event, query, read, stream, tag, tagged};
use gesta_model::{AppendRequest, Conflict, ExpectedRevision, Position, Read, Revision};

fn positions(conflict: &Conflict) -> Vec<u64> {
    conflict.missed.iter().map(|event| event.position().0).collect()
}

fn unless(text: &str, after: u64) -> AppendRequest {
    AppendRequest::new().unless(query(text), Position(after))
}

/// Missed events are those that match from the condition's position on, byte for byte as they are read.
pub fn missed_events_are_the_events_themselves<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for (text, data) in [("x:1", "known"), ("x:2", "other"), ("x:1", "first missed"), ("x:1", "second missed")] {
        let event = tagged(text, data).stream(stream("a-1")).metadata("m").time(gesta_model::Timestamp(5));
        put_event(&store, event);
    }
    let refused = conflict(&store, unless("tag=x:1", 1).return_missed(10));
    let shown = read(&store, Read::query(query("tag=x:1")).from(Position(1)));
    assert_eq!(positions(&refused), [2, 3]);
    for (missed, shown) in refused.missed.iter().zip(&shown) {
        assert_eq!(missed.record().bytes(), shown.record().bytes());
        assert_eq!(missed.recorded_at(), shown.recorded_at());
        missed.record().verify().unwrap();
    }
}

/// As many are told as were asked for, the earliest ones; none unless asked.
pub fn missed_events_are_as_many_as_were_asked_for<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1", "2", "3", "4"]);
    for (asked, expected) in [(0, 0), (1, 1), (3, 3), (5, 5), (6, 5), (u32::MAX, 5)] {
        let refused = conflict(&store, unless("stream=a-1", 0).return_missed(asked));
        assert_eq!(positions(&refused), (0..expected).collect::<Vec<u64>>(), "{asked} asked for");
    }
    assert!(conflict(&store, unless("stream=a-1", 0)).missed.is_empty());
}

/// An expected revision that failed misses what stands in the stream beyond it.
pub fn an_expected_revision_misses_what_stands_beyond_it<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "a-1", &["0", "1"]);
    put(&store, "b-1", &["other"]);
    put(&store, "a-1", &["2"]);
    let missed = |expected| {
        let request = AppendRequest::new().expect(stream("a-1"), expected).return_missed(10);
        positions(&conflict(&store, request))
    };
    assert_eq!(missed(ExpectedRevision::NoStream), [0, 1, 3]);
    assert_eq!(missed(ExpectedRevision::Exactly(Revision(0))), [1, 3]);
    assert_eq!(missed(ExpectedRevision::Exactly(Revision(1))), [3]);
    // Whoever is ahead of the stream has missed nothing.
    for ahead in [3, u64::MAX - 1, u64::MAX] {
        assert_eq!(missed(ExpectedRevision::Exactly(Revision(ahead))), [0; 0]);
    }
    let absent = AppendRequest::new().expect(stream("c-1"), ExpectedRevision::StreamExists).return_missed(10);
    assert_eq!(positions(&conflict(&store, absent)), [0; 0]);
}

/// What several checks missed comes once, in the order of the log; what checks that held would match does not come.
pub fn what_several_checks_missed_comes_once_and_in_order<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put_event(&store, event("a-1", "0").tag(tag("x:1")));
    put_event(&store, event("b-1", "1").tag(tag("x:2")));
    put_event(&store, event("a-1", "2").tag(tag("x:2")));
    put_event(&store, event("c-1", "3").tag(tag("x:3")));
    let request = |missed_max| {
        AppendRequest::new()
            .unless(query("tag=x:2"), Position(0))
            .expect(stream("c-1"), ExpectedRevision::Exactly(Revision(0)))
            .unless(query("tag=x:3"), Position(4))
            .expect(stream("a-1"), ExpectedRevision::NoStream)
            .return_missed(missed_max)
    };
    assert_eq!(positions(&conflict(&store, request(10))), [0, 1, 2]);
    assert_eq!(positions(&conflict(&store, request(2))), [0, 1]);
}
