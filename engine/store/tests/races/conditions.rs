//! Conditions, expectations and retries that race: each is judged at one point of the order.

use crate::explore::explore;
use crate::scene::{SimulatedStore, all, event, open, request};
use gesta::disk::SimulatedDisk;
use gesta::{AppendError, AppendRequest, ExpectedRevision, Position, Query, QueryItem, Receipt, Revision, Tag, Uuid};
use shuttle::thread;
use std::sync::Arc;

const APPENDERS: usize = 3;

fn race(store: &Arc<SimulatedStore>, make: fn(usize) -> AppendRequest) -> Vec<Result<Receipt, AppendError>> {
    let appenders: Vec<_> = (0..APPENDERS)
        .map(|appender| {
            let store = Arc::clone(store);
            thread::spawn(move || store.append(make(appender)))
        })
        .collect();
    appenders.into_iter().map(|appender| appender.join().unwrap()).collect()
}

/// One append was taken; all others were told of a conflict with it.
fn assert_one_wins(store: &SimulatedStore, answers: &[Result<Receipt, AppendError>], before: usize) {
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "more than one was taken: {answers:?}");
    for answer in answers {
        match answer {
            Ok(_) => {}
            Err(AppendError::Conflict(conflict)) => assert!(conflict.head.0 > before as u64, "{conflict:?}"),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(all(store).len(), before + 1);
}

pub(crate) fn a_seat_that_several_want() {
    let store = open(&SimulatedDisk::new(1));
    store.append(request("earlier", "earlier")).unwrap();
    let answers = race(&store, |appender| {
        let seat = Tag::new("seat:1").unwrap();
        let taken = Query::from(QueryItem::new().tag(seat.clone()));
        let event = event(&format!("a-{appender}"), &appender.to_string(), false).tag(seat);
        AppendRequest::new().event(event).unless(taken, Position::START)
    });
    assert_one_wins(&store, &answers, 1);
}

#[test]
fn of_several_who_exclude_each_other_one_is_taken() {
    explore(a_seat_that_several_want);
}

pub(crate) fn a_revision_that_several_expect() {
    let store = open(&SimulatedDisk::new(1));
    store.append(request("a-1", "earlier")).unwrap();
    let answers = race(&store, |appender| {
        let expected = ExpectedRevision::Exactly(Revision(0));
        request("a-1", &appender.to_string()).expect(crate::scene::stream("a-1"), expected)
    });
    assert_one_wins(&store, &answers, 1);
}

#[test]
fn of_several_who_expect_a_revision_one_is_taken() {
    explore(a_revision_that_several_expect);
}

pub(crate) fn a_request_that_is_made_by_several() {
    let store = open(&SimulatedDisk::new(1));
    let answers = race(&store, |_| request("a-1", "once").request_id(Uuid::from_u128(7)));
    for answer in answers {
        assert_eq!(answer.unwrap().positions, Position(0)..Position(1));
    }
    assert_eq!(all(&store).len(), 1);
}

#[test]
fn tries_of_one_request_that_race_append_once_and_have_one_receipt() {
    explore(a_request_that_is_made_by_several);
}
