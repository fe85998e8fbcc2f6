//! How connections begin, live and end.

use crate::events::{begun, ended, events};
use crate::script::{Ports, encoded, follow, impatient, receipt, request};
use gesta_client::{Address, BlockingClient, ClientOptions, ConnectError, Plane};
use gesta_model::{
    AppendError, AppendTicket, EventCursor, EventReader, EventStore, Position, Read, ReadError, RemoteError, Uuid,
};
use gesta_protocol::{Answer, Code, FrameHeader, Kind, Refusal, VERSION};

#[test]
fn nothing_is_connected_to_before_it_is_needed() {
    let ports = Ports::open();
    let client = ports.client();
    assert!(ports.is_left_alone(Plane::Append) && ports.is_left_alone(Plane::Read));
    drop(client);
}

#[test]
fn the_hello_says_who_wants_what() {
    let ports = Ports::open();
    let options = ClientOptions { token: Some("tiger".into()), agent: "tester".into(), ..impatient() };
    let client = BlockingClient::connect(ports.address().with_store("orders"), options).unwrap();
    let server = follow(move || {
        for plane in [Plane::Append, Plane::Read] {
            let mut peer = ports.accept(plane);
            peer.hello(|hello| {
                assert_eq!((hello.plane, hello.store, hello.token, hello.agent), (plane, "orders", "tiger", "tester"));
            });
            peer.say(0, &Answer::Refused(Refusal::new(Code::UnknownStore, "no such store").fatal()));
        }
    });
    let unknown = client.append(request(1));
    assert!(
        matches!(&unknown, Err(AppendError::Remote(RemoteError::UnknownStore { name, .. })) if name == "orders"),
        "{unknown:?}"
    );
    assert!(matches!(client.head(), Err(ReadError::Remote(RemoteError::UnknownStore { .. }))));
    server.join().unwrap();
}

#[test]
fn whoever_is_not_let_in_does_not_knock_again() {
    for code in [Code::Denied, Code::Version, Code::WrongPlane] {
        let ports = Ports::open();
        let client = ports.client();
        let server = follow(move || {
            let mut peer = ports.accept(Plane::Append);
            peer.hello(|_| {});
            peer.say(0, &Answer::Refused(Refusal::new(code, "no").fatal()));
            assert!(ports.is_left_alone(Plane::Append));
        });
        let error = client.append(request(1)).unwrap_err();
        match (code, &error) {
            (Code::Denied, AppendError::Remote(RemoteError::Denied { .. })) => {}
            (_, AppendError::Remote(RemoteError::Refused { code: told, .. })) if *told == code as u16 => {}
            _ => panic!("{error:?}"),
        }
        server.join().unwrap();
    }
}

/// What a client makes of bytes in the place of a welcome.
fn greeted_with(bytes: &[u8]) -> AppendError {
    let ports = Ports::open();
    let client = ports.client();
    let bytes = bytes.to_vec();
    let server = follow(move || {
        let mut peer = ports.accept(Plane::Append);
        peer.hello(|_| {});
        peer.send(&bytes);
        peer.try_next().is_none()
    });
    let error = client.append(request(1)).unwrap_err();
    assert!(server.join().unwrap(), "the client has left");
    error
}

/// What a client makes of bytes in the place of a receipt.
fn answered_with(bytes: &[u8]) -> AppendError {
    let ports = Ports::open();
    let client = ports.client();
    let bytes = bytes.to_vec();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        peer.next();
        peer.send(&bytes);
        peer.try_next().is_none()
    });
    let error = client.append(request(1)).unwrap_err();
    assert!(server.join().unwrap(), "the client has left");
    error
}

#[test]
fn what_is_not_of_the_protocol_is_an_error_and_no_wait() {
    let header = |kind: Kind, body_bytes, id| FrameHeader { body_bytes, kind: kind as u8, id }.encode();
    let mut later = crate::script::welcome();
    later.version = VERSION + 1;
    let odd = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        vec![0xff; 64],
        header(Kind::Receipt, u32::MAX, 1).to_vec(),
        // Nothing like this is ever sent to a client.
        header(Kind::Append, 0, 1).to_vec(),
        // A receipt without its fields, and one for nobody.
        header(Kind::Receipt, 0, 1).to_vec(),
        encoded(99, &Answer::Receipt(receipt(0))),
        encoded(0, &Answer::Receipt(receipt(0))),
        encoded(1, &Answer::Statistics("{}")),
        encoded(0, &Answer::Welcome(Box::new(later))),
    ];
    for bytes in &odd {
        for error in [greeted_with(bytes), answered_with(bytes)] {
            assert!(matches!(error, AppendError::Remote(RemoteError::Protocol { .. })), "{bytes:?}: {error:?}");
        }
    }
}

#[test]
fn a_frame_is_not_believed_to_be_larger_than_one_can_be() {
    // Larger than any that is sent, and still a length that could be read.
    let header = FrameHeader { body_bytes: 200 << 20, kind: Kind::Receipt as u8, id: 1 }.encode();
    let error = answered_with(&header);
    assert!(matches!(&error, AppendError::Remote(RemoteError::Protocol { what, .. }) if what.contains("209715200")));
}

#[test]
fn another_store_at_the_same_address_is_not_taken_for_the_first_one() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Read);
        let asked = peer.next();
        peer.send(&[begun(asked.id, 9), events(asked.id, [0])].concat());
        drop(peer);
        ports.greet_with(Plane::Read, |welcome| welcome.store_id = Uuid::from_u128(78)).try_next();
    });
    let mut cursor = client.read(Read::all()).unwrap();
    assert_eq!(cursor.next_record().unwrap().unwrap().position(), Position(0));
    let other = cursor.next_record().unwrap();
    assert!(matches!(other, Err(ReadError::Remote(RemoteError::Protocol { .. }))));
    server.join().unwrap();
}

#[test]
fn pings_are_answered_and_sent_when_it_is_quiet() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet_with(Plane::Append, |welcome| {
            (welcome.heartbeat_ms, welcome.idle_timeout_ms) = (40, 10_000);
        });
        let asked = peer.next();
        peer.say(0, &Answer::Ping);
        // Both come, in whatever order.
        let mut kinds = vec![peer.next().kind(), peer.next().kind()];
        while !kinds.contains(&Kind::Pong) || !kinds.contains(&Kind::Ping) {
            kinds.push(peer.next().kind());
        }
        peer.say(0, &Answer::Pong);
        assert_eq!(peer.next().kind(), Kind::Ping);
        peer.receipt(asked.id, 0);
    });
    client.append(request(1)).unwrap();
    server.join().unwrap();
}

#[test]
fn a_server_that_falls_silent_is_left_for_another_connection() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut silent = ports.greet_with(Plane::Append, |welcome| {
            (welcome.heartbeat_ms, welcome.idle_timeout_ms) = (20, 100);
        });
        let first = silent.next();
        let mut peer = ports.greet(Plane::Append);
        let again = peer.next();
        assert_eq!(first.append(), again.append());
        peer.receipt(again.id, 0);
        while let Some(asked) = silent.try_next() {
            assert_eq!(asked.kind(), Kind::Ping);
        }
    });
    client.append(request(1)).unwrap();
    server.join().unwrap();
}

#[test]
fn a_server_that_never_says_welcome_is_unreachable() {
    let ports = Ports::open();
    let options = ClientOptions { connect_timeout: std::time::Duration::from_millis(50), ..impatient() };
    let client = ports.client_with(options);
    let error = client.append(request(1)).unwrap_err();
    assert!(matches!(error, AppendError::Remote(RemoteError::Unreachable { .. })), "{error:?}");
    drop(ports);
}

#[test]
fn a_server_that_closes_finishes_what_is_under_way_while_a_new_connection_takes_the_rest() {
    let ports = Ports::open();
    let client = ports.client();
    let other = client.clone();
    let server = follow(move || {
        let mut closing = ports.greet(Plane::Read);
        let read = closing.next();
        // With the first event the client knows that the next read needs another connection.
        closing.send(&[begun(read.id, 2), events(read.id, [0]), encoded(0, &Answer::Closing)].concat());
        let mut next = ports.greet(Plane::Read);
        let asked = next.next();
        next.send(&[begun(asked.id, 2), ended(asked.id, 2)].concat());
        closing.send(&[events(read.id, [1]), ended(read.id, 2)].concat());
        // With the last answer the old connection is let go.
        assert!(closing.try_next().is_none());
    });
    let mut cursor = client.read(Read::all()).unwrap();
    assert_eq!(cursor.next_record().unwrap().unwrap().position(), Position(0));
    assert!(other.read(Read::all()).unwrap().next_record().is_none());
    assert_eq!(cursor.next_record().unwrap().unwrap().position(), Position(1));
    assert!(cursor.next_record().is_none());
    server.join().unwrap();
}

#[test]
fn a_refusal_that_ends_the_connection_ends_what_is_under_way() {
    let ports = Ports::open();
    let client = ports.client();
    let server = follow(move || {
        let mut peer = ports.greet(Plane::Append);
        peer.next();
        peer.next();
        peer.say(0, &Answer::Refused(Refusal::new(Code::Internal, "a bug").fatal()));
        peer.try_next().is_none()
    });
    let tickets = [client.submit(request(1)).unwrap(), client.submit(request(1)).unwrap()];
    for ticket in tickets {
        let refused = ticket.wait();
        let is_told =
            matches!(&refused, Err(AppendError::Remote(RemoteError::Refused { message, .. })) if message == "a bug");
        assert!(is_told, "{refused:?}");
    }
    assert!(server.join().unwrap());
}

#[test]
fn plain_text_stays_on_this_machine_unless_told_otherwise() {
    let address: Address = "gesta://203.0.113.7".parse().unwrap();
    let refused = BlockingClient::connect(address.clone(), ClientOptions::default()).err();
    assert!(matches!(refused, Some(ConnectError::PlainText { host }) if host == "203.0.113.7"));
    let insecure = ClientOptions { insecure: true, ..ClientOptions::default() };
    assert!(BlockingClient::connect(address, insecure).is_ok());
}
