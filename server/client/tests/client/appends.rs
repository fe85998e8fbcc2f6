//! Appends over one connection: order, limits, ids, refusals.

use crate::script::{MOMENT, PATIENCE, Ports, follow, impatient, request, welcome};
use gesta_client::{ClientOptions, Plane};
use gesta_model::{
    AppendError, AppendRequest, AppendTicket, EventStore, ExpectedRevision, Position, RemoteError, RequestError,
    StreamName, Uuid,
};
use gesta_protocol::{Answer, Code, Kind, Refusal};
use std::sync::mpsc::channel;

#[test]
fn each_append_gets_its_own_answer_in_whatever_order_they_come() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let asked: Vec<_> = (0..20).map(|_| peer.next()).collect();
        for (position, asked) in asked.iter().enumerate().rev() {
            peer.receipt(asked.id, position as u64);
        }
        peer.try_next().is_none()
    });
    let tickets: Vec<_> = (0..20).map(|_| client.submit(request(1)).unwrap()).collect();
    for (position, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(ticket.wait().unwrap().positions.start, Position(position as u64));
    }
    drop(client);
    assert!(server.join().unwrap(), "the client closed the connection");
}

#[test]
fn no_more_requests_are_under_way_than_the_welcome_allows() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet_with(Plane::Append, |welcome| welcome.requests_in_flight_max = 2);
        let (first, second) = (peer.next(), peer.next());
        assert!(peer.is_quiet(), "the third waits");
        peer.receipt(second.id, 0);
        let third = peer.next();
        assert!(peer.is_quiet(), "the fourth waits");
        peer.receipt(first.id, 1);
        peer.receipt(third.id, 2);
        let fourth = peer.next();
        peer.receipt(fourth.id, 3);
    });
    let tickets: Vec<_> = (0..4).map(|_| client.submit(request(1)).unwrap()).collect();
    let positions = tickets.into_iter().map(|ticket| ticket.wait().unwrap().positions.start.0);
    assert_eq!(positions.collect::<Vec<_>>(), [1, 0, 2, 3]);
    server.join().unwrap();
}

#[test]
fn what_breaks_the_limits_of_the_welcome_is_not_sent() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet_with(Plane::Append, |welcome| {
            welcome.limits.data_bytes_max = 500;
            welcome.frame_bytes_max = 300;
        });
        let asked = peer.next();
        assert!(asked.append().1.len() < 300);
        peer.receipt(asked.id, 0);
    });
    let too_long = client.append(request(501));
    assert!(matches!(too_long, Err(AppendError::Request(RequestError::DataTooLong { bytes: 501, max: 500, .. }))));
    let too_large = client.append(request(400));
    assert!(matches!(too_large, Err(AppendError::Request(RequestError::TooLarge { max: 300, .. }))), "{too_large:?}");
    assert_eq!(client.append(request(1)).unwrap().positions.start, Position(0));
    server.join().unwrap();
}

#[test]
fn a_request_without_an_id_is_given_one_and_looked_for_from_the_last_head() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet_with(Plane::Append, |welcome| welcome.head = Position(7));
        [(); 4].map(|()| {
            let asked = peer.next();
            let (id, _, since) = asked.append();
            peer.receipt(asked.id, 11);
            (id, since)
        })
    });
    let given = Uuid::from_u128(5);
    let stream = StreamName::new("order-1").unwrap();
    client.append(request(1)).unwrap();
    client.append(request(1)).unwrap();
    client.append(request(1).request_id(given)).unwrap();
    client.append(AppendRequest::new().expect(stream, ExpectedRevision::NoStream)).unwrap();
    let [first, second, named, check] = server.join().unwrap();
    assert_eq!((first.0.unwrap().get_version_num(), first.1), (7, Position(7)));
    assert_eq!((second.0.unwrap().get_version_num(), second.1), (7, Position(12)));
    assert_ne!(first.0, second.0);
    // The caller may have made it before, so it may be anywhere.
    assert_eq!(named, (Some(given), Position::START));
    assert_eq!(check, (None, Position::START));
}

#[test]
fn a_refusal_that_is_about_the_request_is_told_and_not_tried_again() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let refusals = [
            Refusal::from(&AppendError::StorageFull { bytes: 9, cause: std::io::Error::other("full").into() }),
            Refusal::from(&AppendError::NoSegment { cause: std::io::Error::other("no").into() }),
            Refusal::new(Code::Denied, "denied"),
            Refusal::from(&AppendError::RequestIdReused { id: Uuid::from_u128(1), first: Position(3) }),
        ];
        for refusal in refusals {
            let asked = peer.next();
            peer.say(asked.id, &Answer::Refused(refusal));
        }
        assert!(peer.is_quiet(), "nothing was asked again");
    });
    assert!(matches!(client.append(request(1)), Err(AppendError::StorageFull { bytes: 9, .. })));
    assert!(matches!(client.append(request(1)), Err(AppendError::NoSegment { .. })));
    assert!(matches!(client.append(request(1)), Err(AppendError::Remote(RemoteError::Denied { .. }))));
    let reused = client.append(request(1));
    assert!(matches!(reused, Err(AppendError::RequestIdReused { first: Position(3), .. })), "{reused:?}");
    server.join().unwrap();
}

#[test]
fn appends_that_have_no_room_wait_for_it() {
    let ports = Ports::open();
    let options = ClientOptions { unanswered_bytes_max: 4096, ..ClientOptions::default() };
    let client = ports.client_with(options);
    let (submitted, was_submitted) = channel();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let first = peer.next();
        assert_eq!(was_submitted.recv().unwrap(), 1);
        let waits = was_submitted.recv_timeout(std::time::Duration::from_millis(80));
        assert!(waits.is_err(), "the second append does not fit beside the first");
        peer.receipt(first.id, 0);
        let second = peer.next();
        peer.receipt(second.id, 1);
        was_submitted.recv().unwrap()
    });
    let first = client.submit(request(3000)).unwrap();
    submitted.send(1).unwrap();
    let second = client.submit(request(3000)).unwrap();
    submitted.send(2).unwrap();
    assert_eq!(first.wait().unwrap().positions.start, Position(0));
    assert_eq!(second.wait().unwrap().positions.start, Position(1));
    assert_eq!(server.join().unwrap(), 2);
}

#[test]
fn what_was_submitted_is_sent_and_answered_before_the_last_handle_is_gone() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        let asked: Vec<_> = (0..50).map(|_| peer.next()).collect();
        assert!(peer.is_quiet(), "the client waits for the answers");
        for asked in asked {
            peer.receipt(asked.id, 0);
        }
        peer.try_next().map(|asked| asked.kind())
    });
    for _ in 0..50 {
        drop(client.submit(request(1)).unwrap());
    }
    drop(client);
    assert_eq!(server.join().unwrap(), None::<Kind>);
}

#[test]
fn what_a_closing_server_left_without_an_answer_is_sent_again_though_nobody_waits() {
    let ports = Ports::open();
    let client = ports.client();
    let (tell, told) = channel();
    let server = follow(move || {
        let mut closing = ports.greet(Plane::Append);
        let first = closing.next();
        // Until then the last handle has gone, and waits.
        std::thread::sleep(MOMENT);
        closing.say(0, &Answer::Closing);
        drop(closing);
        // The next one is not ready yet.
        drop(ports.accept(Plane::Append));
        let mut next = ports.greet(Plane::Append);
        let again = next.next();
        next.receipt(again.id, 0);
        tell.send((first.append(), again.append())).unwrap();
        next.try_next().is_none()
    });
    drop(client.submit(request(1)).unwrap());
    drop(client);
    let (first, again) = told.recv_timeout(PATIENCE).expect("it is sent again");
    assert_eq!(first, again);
    assert!(server.join().unwrap());
}

#[test]
fn a_server_that_lives_and_answers_nothing_is_not_waited_for_longer_than_was_asked() {
    let ports = Ports::open();
    let client = ports.client_with(impatient());
    let server = follow(move || {
        let mut peer = ports.greet_with(Plane::Append, |welcome| welcome.requests_in_flight_max = 1);
        assert_eq!(peer.next().kind(), Kind::Append);
        // The second one never has its turn.
        peer.try_next().is_none()
    });
    for _ in 0..2 {
        drop(client.submit(request(1)).unwrap());
    }
    let (tell, told) = channel();
    follow(move || {
        drop(client);
        tell.send(())
    });
    told.recv_timeout(PATIENCE).expect("the last handle waits no longer");
    assert!(server.join().unwrap());
}

#[test]
fn many_threads_share_one_connection() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet_with(Plane::Append, |welcome| welcome.requests_in_flight_max = 3);
        for position in 0..200 {
            let asked = peer.next();
            peer.receipt(asked.id, position);
        }
        peer.try_next().is_none()
    });
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || {
                (0..25).map(|_| client.append(request(1)).unwrap().positions.start.0).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut positions: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    positions.sort_unstable();
    assert_eq!(positions, (0..200).collect::<Vec<_>>());
    drop(client);
    assert!(server.join().unwrap());
    assert_eq!(welcome().requests_in_flight_max, 100, "the script's own bound is wider");
}
