//! Questions with one answer, and what an operator asks.

use crate::events::{ended, events, time_of};
use crate::script::{PATIENCE, Ports, encoded, follow, impatient, request};
use gesta_client::{IndexFindings, LogFindings, Plane, Work};
use gesta_model::{
    Damage, EventReader, EventStore, Incarnation, NameCount, NameKind, Position, ReadError, RemoteError, Revision,
    StreamName, Uuid,
};
use gesta_protocol::{Answer, Code, Kind, NamesPart, Refusal, Request, Standing};
use std::sync::mpsc::channel;

fn standing(revision: Option<u64>, is_lost: bool) -> Answer<'static> {
    let revision = revision.map(Revision);
    Answer::Standing(Standing { head: Position(9), incarnation: Incarnation(3), is_lost, revision })
}

#[test]
fn where_things_stand_is_asked_and_asked_again_after_a_broken_connection() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        peer.next();
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let mut asked = Vec::new();
        for answer in [standing(None, false), standing(Some(4), false), standing(None, true)] {
            let next = peer.next();
            match next.request() {
                Request::Standing(request) => asked.push(request),
                other => panic!("{other:?}"),
            }
            peer.say(next.id, &answer);
        }
        asked
    });
    let stream = StreamName::new("order-1").unwrap();
    assert_eq!(client.head().unwrap(), Position(9));
    assert_eq!(client.stream_revision(&stream).unwrap(), Some(Revision(4)));
    assert!(client.is_lost(Incarnation(2), Position(8)).unwrap());
    let asked = server.join().unwrap();
    assert_eq!((asked[0].given, &asked[0].stream), (None, &None));
    assert_eq!(asked[1].stream, Some(stream));
    assert_eq!(asked[2].given, Some((Incarnation(2), Position(8))));
}

#[test]
fn names_that_were_cut_off_are_not_counted_twice() {
    let ports = Ports::open();
    let client = ports.client();
    let name = |name: &str| NameCount { name: name.to_owned(), count: 1, last: Position(0), last_revision: None };
    let expected = ["a", "b", "c"].map(name);
    let [a, b, c] = expected.clone();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        assert!(matches!(asked.request(), Request::Names(NameKind::Tag, "x")));
        let part = |has_more, names: &[NameCount]| Answer::Names(NamesPart { has_more, names: names.to_vec() });
        peer.say(asked.id, &part(true, &[a.clone(), b.clone()]));
        drop(peer);
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.say(asked.id, &part(true, &[a]));
        peer.say(asked.id, &part(false, &[b, c]));
    });
    assert_eq!(client.names(NameKind::Tag, "x").unwrap(), expected);
    server.join().unwrap();
}

#[test]
fn an_event_is_found_by_its_id_or_not_or_damaged() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        assert!(matches!(asked.request(), Request::FindEvent(id) if id == Uuid::from_u128(4)));
        peer.send(&[events(asked.id, [3]), ended(asked.id, 9)].concat());
        let asked = peer.next();
        peer.send(&[events(asked.id, []), ended(asked.id, 9)].concat());
        let asked = peer.next();
        peer.say(asked.id, &Answer::Refused(Refusal::from(&ReadError::NoEventIds)));
        let asked = peer.next();
        let damage = Damage { file: "x".into(), offset: 1, positions: Position(2)..Position(3), what: "y".into() };
        peer.say(asked.id, &Answer::Damaged(damage));
    });
    let id = Uuid::from_u128(4);
    let found = client.event(id).unwrap().unwrap();
    assert_eq!((found.position(), found.recorded_at(), found.record().id()), (Position(3), time_of(3), id));
    assert_eq!(client.event(id).unwrap(), None);
    assert!(matches!(client.event(id), Err(ReadError::NoEventIds)));
    assert!(matches!(client.event(id), Err(ReadError::Damaged(damage)) if damage.file == "x"));
    server.join().unwrap();
}

#[test]
fn an_operator_hears_how_far_the_work_has_come_and_what_was_found() {
    let ports = Ports::open();
    let client = ports.client();
    let log = LogFindings { events: 7, damage: Vec::new() };
    let index = IndexFindings { whole: 1, bytes: 2, damaged: Vec::new(), missing: vec!["x".into()] };
    let (found_log, found_index) = (log.clone(), index.clone());
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let answers = [
            (Kind::Verify, Answer::LogFindings(log)),
            (Kind::VerifyIndex, Answer::IndexFindings(index)),
            (Kind::AskStatistics, Answer::Statistics("{}")),
            (Kind::ListStores, Answer::Stores(vec!["a".into()])),
        ];
        for (kind, answer) in answers {
            let asked = peer.next();
            assert_eq!(asked.kind(), kind);
            if kind == Kind::Verify {
                assert!(matches!(asked.request(), Request::Verify { is_deep: true }));
                let working = encoded(asked.id, &Answer::Working(Work { done: 1, total: 2 }));
                peer.send(&working);
            }
            peer.say(asked.id, &answer);
        }
        let mut peer = ports.greet(Plane::Append);
        for kind in [Kind::RebuildIndex, Kind::CreateStore] {
            let asked = peer.next();
            assert_eq!(asked.kind(), kind);
            peer.say(asked.id, &Answer::Done);
        }
    });
    let mut heard = Vec::new();
    assert_eq!(client.verify(true, |work| heard.push((work.done, work.total))).unwrap(), found_log);
    assert_eq!(heard, [(1, 2)]);
    assert_eq!(client.verify_index(|_| {}).unwrap(), found_index);
    assert_eq!(client.statistics().unwrap(), "{}");
    assert_eq!(client.list_stores().unwrap(), ["a"]);
    client.rebuild_index(|_| {}).unwrap();
    client.create_store("b").unwrap();
    server.join().unwrap();
}

#[test]
fn whoever_is_told_of_progress_may_wait_for_what_others_ask_of_the_same_client() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.say(asked.id, &Answer::Working(Work { done: 1, total: 2 }));
        let mut appending = ports.greet(Plane::Append);
        let append = appending.next();
        appending.receipt(append.id, 0);
        peer.say(asked.id, &Answer::LogFindings(LogFindings { events: 7, damage: Vec::new() }));
        (peer.try_next(), appending.try_next())
    });
    let other = client.clone();
    let progress = move |_| {
        let (other, (tell, told)) = (other.clone(), channel());
        follow(move || tell.send(other.append(request(1))));
        told.recv_timeout(PATIENCE).expect("the append is answered meanwhile").unwrap();
    };
    assert_eq!(client.verify(false, progress).unwrap().events, 7);
    drop(client);
    server.join().unwrap();
}

#[test]
fn a_store_is_not_asked_for_twice_when_it_may_have_been_made() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let asked = peer.next();
        // Said in so many words, it was not made.
        peer.say(asked.id, &Answer::Refused(Refusal::new(Code::TooManyRequests, "later")));
        peer.next();
        drop(peer);
        assert!(ports.is_left_alone(Plane::Append));
    });
    let unknown = client.create_store("b");
    assert!(matches!(unknown, Err(RemoteError::Unanswered { .. })), "{unknown:?}");
    server.join().unwrap();
}

#[test]
fn an_answer_to_another_question_is_no_answer() {
    let ports = Ports::open();
    let client = ports.client_with(impatient());
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.say(asked.id, &Answer::Statistics("{}"));
        peer.try_next();
    });
    let answered = client.head();
    assert!(matches!(answered, Err(ReadError::Remote(RemoteError::Protocol { .. }))), "{answered:?}");
    drop(client);
    server.join().unwrap();
}
