//! Checks of streams' revisions, and what a conflict tells of them.

use crate::Harness;
use crate::support::{conflict, event, put, request, settle, stream, write};
use gesta_model::{AppendRequest, EventReader, EventStore, ExpectedRevision, FailedCheck, Position, Revision};

fn exactly(revision: u64) -> ExpectedRevision {
    ExpectedRevision::Exactly(Revision(revision))
}

fn expect(name: &str, expected: ExpectedRevision) -> AppendRequest {
    AppendRequest::new().expect(stream(name), expected)
}

fn failed(name: &str, expected: ExpectedRevision, actual: Option<u64>) -> FailedCheck {
    FailedCheck::Stream { stream: stream(name), expected, actual: actual.map(Revision) }
}

/// Every expectation of a stream, judged of one that is absent and of one with three events.
pub fn every_expected_revision_is_judged_exactly<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "three", &["0", "1", "2"]);
    let revisions = [0, 1, 2, 3, 4, 1 << 32, u64::MAX - 1, u64::MAX].map(exactly);
    let all = revisions.into_iter().chain([
        ExpectedRevision::Any,
        ExpectedRevision::NoStream,
        ExpectedRevision::StreamExists,
    ]);
    for expected in all {
        for (name, actual) in [("three", Some(2)), ("absent", None)] {
            if expected.holds(actual.map(Revision)) {
                store.append(expect(name, expected)).unwrap_or_else(|error| panic!("{name} {expected}: {error}"));
            } else {
                let refused = conflict(&store, expect(name, expected));
                assert_eq!(refused.failed, [failed(name, expected, actual)]);
            }
        }
    }
}

/// Each expectation follows the stream as it grows.
pub fn expectations_follow_a_stream_as_it_grows<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let append = |expected| store.append(request("a-1", &["x"]).expect(stream("a-1"), expected));
    append(ExpectedRevision::NoStream).unwrap();
    append(ExpectedRevision::StreamExists).unwrap();
    append(ExpectedRevision::Any).unwrap();
    append(exactly(2)).unwrap();
    for stale in [ExpectedRevision::NoStream, exactly(2), exactly(4)] {
        let refused = conflict(&store, request("a-1", &["x"]).expect(stream("a-1"), stale));
        assert_eq!(refused.failed, [failed("a-1", stale, Some(3))]);
    }
}

/// A check may be of a stream that the request does not write.
pub fn a_check_may_be_of_a_stream_that_is_not_written<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "account-1", &["opened"]);
    let written = |expected| request("account-2", &["x"]).expect(stream("account-1"), expected);
    let receipt = store.append(written(exactly(0))).unwrap();
    assert_eq!(receipt.revisions, [(stream("account-2"), Revision(0))]);
    let refused = conflict(&store, written(ExpectedRevision::NoStream));
    assert_eq!(refused.failed, [failed("account-1", ExpectedRevision::NoStream, Some(0))]);
    assert_eq!(store.stream_revision(&stream("account-2")).unwrap(), Some(Revision(0)));
}

/// All checks are judged before the request's own events, and they may be of one stream.
pub fn checks_are_judged_before_the_requests_own_events<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let request = || request("a-1", &["0", "1"]).expect(stream("a-1"), ExpectedRevision::NoStream);
    store.append(request().expect(stream("a-1"), ExpectedRevision::Any)).unwrap();
    let contradiction = request().expect(stream("a-1"), exactly(1));
    assert_eq!(conflict(&store, contradiction).failed, [failed("a-1", ExpectedRevision::NoStream, Some(1))]);
}

/// All checks that failed are told, in the order asked, and only those.
pub fn all_failed_checks_are_told_in_the_order_asked<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "b-1", &["0", "1"]);
    put(&store, "a-1", &["0"]);
    let asked = [
        ("c-1", ExpectedRevision::StreamExists),
        ("a-1", exactly(0)),
        ("b-1", ExpectedRevision::NoStream),
        ("c-1", ExpectedRevision::NoStream),
        ("a-1", exactly(7)),
        ("b-1", exactly(0)),
        ("a-1", exactly(7)),
    ];
    let of_all = |request: AppendRequest| {
        asked.iter().fold(request, |request, (name, expected)| request.expect(stream(name), *expected))
    };
    let expected = [
        failed("c-1", ExpectedRevision::StreamExists, None),
        failed("b-1", ExpectedRevision::NoStream, Some(1)),
        failed("a-1", exactly(7), Some(0)),
        failed("b-1", exactly(0), Some(1)),
        failed("a-1", exactly(7), Some(0)),
    ];
    assert_eq!(conflict(&store, of_all(AppendRequest::new())).failed, expected);
    assert_eq!(conflict(&store, of_all(request("d-1", &["x"]))).failed, expected);
    assert_eq!(store.stream_revision(&stream("d-1")).unwrap(), None);
}

/// Checks of a thousand streams are judged in one request, and each is told when it fails.
pub fn a_thousand_checks_are_judged_together<H: Harness>(harness: &H) {
    let store = harness.fresh();
    put(&store, "s-500", &["x"]);
    let of_all = |expected: ExpectedRevision| {
        (0..1_000)
            .fold(AppendRequest::new(), |request, number| request.expect(stream(&format!("s-{number}")), expected))
    };
    let refused = conflict(&store, of_all(ExpectedRevision::NoStream));
    assert_eq!(refused.failed, [failed("s-500", ExpectedRevision::NoStream, Some(0))]);
    assert_eq!(conflict(&store, of_all(ExpectedRevision::StreamExists)).failed.len(), 999);
}

/// A conflict names the head that its checks were judged against, which takes in what is not synced yet.
pub fn a_conflict_names_the_head_it_was_judged_against<H: Harness>(harness: &H) {
    let store = harness.fresh();
    let refused = conflict(&store, expect("a-1", ExpectedRevision::StreamExists));
    assert_eq!((refused.head, refused.missed.len()), (Position(0), 0));
    put(&store, "a-1", &["0", "1"]);
    assert_eq!(conflict(&store, expect("a-1", ExpectedRevision::NoStream)).head, Position(2));
    settle(&store);
    write(&store, event("a-1", "2"));
    let refused = match store.append(expect("a-1", exactly(1))) {
        Err(gesta_model::AppendError::Conflict(refused)) => refused,
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!((refused.head, refused.failed), (Position(3), vec![failed("a-1", exactly(1), Some(2))]));
}

/// Of many who want to be the first in a stream, one is.
pub fn one_of_many_is_the_first_in_a_stream<H: Harness>(harness: &H) {
    let store = harness.fresh();
    for round in 0..10 {
        let name = format!("race-{round}");
        let won = std::thread::scope(|scope| {
            let run = || store.append(request(&name, &["x"]).expect(stream(&name), ExpectedRevision::NoStream)).is_ok();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            threads.into_iter().map(|thread| u32::from(thread.join().unwrap())).sum::<u32>()
        });
        assert_eq!((won, store.stream_revision(&stream(&name)).unwrap()), (1, Some(Revision(0))));
    }
}
