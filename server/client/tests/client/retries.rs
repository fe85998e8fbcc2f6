//! Appends over connections that break.

use crate::script::{Ports, follow, impatient, request};
use gesta_client::{ClientOptions, Plane};
use gesta_model::{
    AppendError, AppendRequest, AppendTicket, EventStore, ExpectedRevision, Incarnation, Position, RemoteError,
    StreamName,
};
use gesta_protocol::{Answer, Code, Refusal};
use std::time::Duration;

#[test]
fn an_append_without_an_answer_is_made_again_under_the_same_id() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let first = ports.greet(Plane::Append).next().append();
        // The second answer is cut off in its middle.
        let mut peer = ports.greet(Plane::Append);
        let second = peer.next();
        peer.send(&crate::script::encoded(second.id, &Answer::Receipt(crate::script::receipt(4)))[..30]);
        drop(peer);
        let mut peer = ports.greet(Plane::Append);
        let third = peer.next();
        peer.receipt(third.id, 4);
        [first, second.append(), third.append()]
    });
    assert_eq!(client.append(request(10)).unwrap().positions.start, Position(4));
    let [first, second, third] = server.join().unwrap();
    assert_eq!((&first, &first), (&second, &third));
    assert!(first.0.is_some());
}

#[test]
fn what_has_no_answer_is_sent_again_in_the_order_it_was_submitted() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let mut asked: Vec<_> = (0..6).map(|_| peer.next()).collect();
        peer.receipt(asked[1].id, 1);
        drop(peer);
        asked.remove(1);
        let mut peer = ports.greet(Plane::Append);
        for earlier in asked {
            let again = peer.next();
            assert_eq!(again.append(), earlier.append());
            peer.receipt(again.id, 9);
        }
    });
    let tickets: Vec<_> = (0..6).map(|_| client.submit(request(1)).unwrap()).collect();
    let positions: Vec<_> = tickets.into_iter().map(|ticket| ticket.wait().unwrap().positions.start.0).collect();
    assert_eq!(positions, [9, 1, 9, 9, 9, 9]);
    server.join().unwrap();
}

#[test]
fn a_pure_check_is_asked_again_without_an_id() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let first = ports.greet(Plane::Append).next().append();
        let mut peer = ports.greet(Plane::Append);
        let second = peer.next();
        peer.receipt(second.id, 0);
        (first, second.append())
    });
    let stream = StreamName::new("order-1").unwrap();
    client.append(AppendRequest::new().expect(stream, ExpectedRevision::Any)).unwrap();
    let (first, second) = server.join().unwrap();
    assert_eq!((first.0, &first), (None, &second));
}

#[test]
fn a_log_that_lost_its_end_is_searched_for_an_earlier_try_from_its_new_head() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let heads = [(1, 10), (2, 4), (2, 8), (3, 6), (4, 2)];
        heads.map(|(incarnation, head)| {
            let mut peer = ports.greet_with(Plane::Append, |welcome| {
                (welcome.incarnation, welcome.head) = (Incarnation(incarnation), Position(head));
            });
            let asked = peer.next();
            if incarnation == 4 {
                peer.receipt(asked.id, 2);
            }
            asked.append().2
        })
    });
    client.append(request(1)).unwrap();
    // Neither the growth of the second life nor the higher head of the third one hides a try made at 4.
    assert_eq!(server.join().unwrap(), [10, 4, 4, 4, 2].map(Position));
}

#[test]
fn a_stopping_server_is_left_and_the_next_one_asked_under_the_same_id() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let (first, second) = (peer.next(), peer.next());
        peer.say(first.id, &Answer::Refused(Refusal::new(Code::Stopping, "stopping")));
        // What is under way is still answered over the first connection, while the second one is there.
        let mut next = ports.greet(Plane::Append);
        let again = next.next();
        next.receipt(again.id, 5);
        peer.receipt(second.id, 4);
        assert!(peer.try_next().is_none());
        (first.append(), again.append())
    });
    let (first, second) = (client.submit(request(1)).unwrap(), client.submit(request(1)).unwrap());
    assert_eq!(first.wait().unwrap().positions.start, Position(5));
    assert_eq!(second.wait().unwrap().positions.start, Position(4));
    let (first, again) = server.join().unwrap();
    assert_eq!(first, again);
}

#[test]
fn a_server_that_turns_requests_away_is_asked_again() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let mut tries = Vec::new();
        for _ in 0..3 {
            let asked = peer.next();
            tries.push(asked.append());
            peer.say(asked.id, &Answer::Refused(Refusal::new(Code::TooManyRequests, "too many")));
        }
        let asked = peer.next();
        peer.receipt(asked.id, 0);
        tries.push(asked.append());
        tries
    });
    client.append(request(1)).unwrap();
    let tries = server.join().unwrap();
    assert!(tries.iter().all(|again| *again == tries[0]) && tries.len() == 4);
}

#[test]
fn a_server_that_turns_connections_away_is_tried_again() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        for code in [Code::TooManyConnections, Code::Stopping, Code::Timeout] {
            let mut peer = ports.accept(Plane::Append);
            peer.hello(|_| {});
            peer.say(0, &Answer::Refused(Refusal::new(code, "not now").fatal()));
        }
        let mut peer = ports.greet(Plane::Append);
        let asked = peer.next();
        peer.receipt(asked.id, 0);
    });
    client.append(request(1)).unwrap();
    server.join().unwrap();
}

#[test]
fn after_long_enough_the_outcome_is_unknown_if_it_was_sent_and_told_as_not_sent_if_not() {
    let ports = Ports::open();
    let client = ports.client_with(impatient());
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let server = follow(move || {
        while stopped.try_recv().is_err() {
            ports.greet(Plane::Append).try_next();
        }
    });
    let unanswered = client.append(request(1));
    assert!(matches!(unanswered, Err(AppendError::Remote(RemoteError::Unanswered { .. }))), "{unanswered:?}");
    stop.send(()).unwrap();
    // The server ends with the connection that this makes.
    let _ = client.append(request(1));
    server.join().unwrap();
    let unreachable = client.append(request(1));
    assert!(matches!(unreachable, Err(AppendError::Remote(RemoteError::Unreachable { .. }))), "{unreachable:?}");
}

#[test]
fn an_answer_that_takes_longer_than_the_caller_waits_is_unanswered() {
    let ports = Ports::open();
    let client = ports.client_with(ClientOptions { request_timeout: Some(Duration::from_millis(50)), ..impatient() });
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        peer.next();
        let asked = peer.next();
        peer.receipt(asked.id, 1);
        peer.try_next().is_none()
    });
    let late = client.append(request(1));
    assert!(matches!(late, Err(AppendError::Remote(RemoteError::Unanswered { .. }))), "{late:?}");
    assert_eq!(client.append(request(1)).unwrap().positions.start, Position(1));
    // The first one never has an answer. Leaving does not wait for it for ever.
    drop(client);
    assert!(server.join().unwrap());
}
