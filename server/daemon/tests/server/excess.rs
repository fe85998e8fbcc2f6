//! Clients that send or ask for too much: each is answered within bounds, and everybody else is served.

use crate::abuse::{fill, stream, subscription};
use crate::conversation::{append, event, read_all, read_request};
use crate::support::{Host, Wire, eventually};
use crate::witness::Witness;
use gesta::{
    AppendRequest, Durability, Event, EventType, ExpectedRevision, Limits, Pace, Position, Read, Revision, StreamName,
    Timestamp, Uuid,
};
use gesta_protocol::{Answer, Append, Code, FrameHeader, Hello, Kind, Plane, ReadRequest, Request, StandingRequest};
use std::io::Write as _;
use std::time::Duration;

const PLANES: [Plane; 2] = [Plane::Append, Plane::Read];

/// The frame of an append that asks for what it missed and cannot be made.
fn conflicting(id: u64, missed: u32) -> Vec<u8> {
    let request = AppendRequest::new()
        .event(event(id))
        .expect(stream(), ExpectedRevision::NoStream)
        .return_missed(missed)
        .encode(&Limits::default(), || Uuid::from_u128(u128::from(id) | 1 << 90))
        .unwrap();
    let mut out = Vec::new();
    Request::Append(Append::Encoded(&request)).encode(id, &mut out);
    out
}

#[test]
fn a_client_that_appends_and_never_listens_is_closed_and_nobody_else_waits() {
    let host = Host::with(&[("limits.slow_reader_timeout_ms", "300")]);
    fill(&host, 20, 100_000);
    let (mut figures, mut witness) = (host.figures(), Witness::new(&host));
    let mut deaf = host.connect(Plane::Append);
    deaf.stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    for id in 1..=200 {
        deaf.send_bytes(&conflicting(id, 1000));
    }
    witness.is_served();
    figures.wait_for("/server/planes/append/connections_open", 1);
    figures.wait_for("/server/planes/append/requests_in_flight", 0);
    assert_eq!(figures.refusals(Plane::Append, "slow_reader"), 1);
    witness.is_served();
}

#[test]
fn a_storm_of_conflicts_is_answered_with_what_was_missed_and_no_more_than_fits() {
    let host = Host::new();
    fill(&host, 12, 1 << 20);
    let mut witness = Witness::new(&host);
    let mut wire = host.connect(Plane::Append);
    let mut sender = wire.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        for id in 1..=100 {
            sender.write_all(&conflicting(id, u32::MAX)).unwrap();
        }
    });
    witness.is_served();
    let mut answered = [false; 101];
    for _ in 1..=100 {
        wire.receive(|id, answer| match answer {
            Answer::Conflict(conflict) => {
                answered[usize::try_from(id).unwrap()] = true;
                assert_eq!(conflict.missed[0].position(), Position(0));
            }
            other => panic!("no conflict but {other:?}"),
        })
        .unwrap();
    }
    sending.join().unwrap();
    assert!(answered[1..].iter().all(|is_answered| *is_answered));
}

#[test]
fn a_hundred_thousand_appends_at_once_are_all_made_in_their_order() {
    const COUNT: u64 = 100_000;
    let host = Host::new();
    let mut witness = Witness::new(&host);
    let mut wire = host.connect(Plane::Append);
    let mut sender = wire.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        let mut out = Vec::new();
        for id in 1..=COUNT {
            let request = AppendRequest::new().event(Event::new(EventType::new("Tiny").unwrap()));
            let request = request.durability(Durability::Written);
            let request = request.encode(&Limits::default(), || Uuid::from_u128(u128::from(id) | 1 << 91)).unwrap();
            Request::Append(Append::Encoded(&request)).encode(id, &mut out);
            if out.len() > 1 << 16 || id == COUNT {
                sender.write_all(&out).unwrap();
                out.clear();
            }
        }
    });
    let mut firsts = vec![None; usize::try_from(COUNT).unwrap()];
    for number in 0..COUNT {
        if number % 20_000 == 0 {
            witness.is_served();
        }
        wire.receive(|id, answer| match answer {
            Answer::Receipt(receipt) => firsts[usize::try_from(id).unwrap() - 1] = Some(receipt.positions.start),
            other => panic!("no receipt but {other:?}"),
        })
        .unwrap();
    }
    sending.join().unwrap();
    assert!(firsts.iter().all(Option::is_some));
    assert!(firsts.is_sorted_by(|earlier, later| earlier < later), "one connection's appends keep their order");
}

#[test]
fn hoards_of_credit_and_storms_of_cancels_leave_nothing_behind() {
    let host = Host::new();
    fill(&host, 50, 10_000);
    let mut figures = host.figures();
    let mut wire = host.connect(Plane::Read);
    let mut out = Vec::new();
    for id in 1..=300 {
        subscription(0, 1).encode(id, &mut out);
        for _ in 0..10 {
            Request::Credit(u32::MAX).encode(id, &mut out);
            // Nobody asked for it, and it is none of a read that has ended.
            Request::Credit(u32::MAX).encode(id + 1_000_000, &mut out);
        }
        for _ in 0..3 {
            Request::Cancel.encode(id, &mut out);
        }
    }
    Request::Ping.encode(9, &mut out);
    let mut sender = wire.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || sender.write_all(&out).unwrap());
    while !wire.receive(|id, answer| matches!((id, answer), (9, Answer::Pong))).unwrap() {}
    sending.join().unwrap();
    // What was on its way when its read was cancelled still comes.
    let mut nothing_is_left = || {
        wire.send(10, &Request::Ping);
        while !wire.receive(|id, answer| matches!((id, answer), (10, Answer::Pong))).unwrap() {}
        figures.at("/server/planes/read/requests_in_flight") == 1 && figures.at("/subscribers/count") == 0
    };
    assert!(eventually(&mut nothing_is_left));
    assert!(nothing_is_left());
}

#[test]
fn an_id_that_a_read_has_is_refused_to_any_other_request() {
    let host = Host::new();
    let standing = Request::Standing(StandingRequest { given: None, stream: None });
    let again = [subscription(0, 0), Request::Statistics, Request::Verify { is_deep: false }, standing];
    for request in again {
        let mut wire = host.connect(Plane::Read);
        wire.send(5, &subscription(0, 1));
        wire.receive(|_, answer| assert!(matches!(answer, Answer::Begun(_)))).unwrap();
        wire.receive(|_, answer| assert!(matches!(answer, Answer::CaughtUp(_)))).unwrap();
        wire.send(5, &request);
        assert_eq!(wire.refusal(), Code::Protocol as u16, "{request:?}");
        assert!(wire.is_closed());
    }
}

#[test]
fn more_requests_than_may_be_under_way_are_refused_for_now() {
    let host = Host::with(&[("limits.requests_in_flight_max", "3")]);
    let mut wire = host.connect(Plane::Read);
    for id in 1..=3 {
        wire.send(id, &subscription(0, 1));
        wire.receive(|_, answer| assert!(matches!(answer, Answer::Begun(_)))).unwrap();
        wire.receive(|_, answer| assert!(matches!(answer, Answer::CaughtUp(_)))).unwrap();
    }
    for request in [subscription(0, 1), Request::Statistics, Request::VerifyIndex] {
        wire.send(4, &request);
        assert_eq!(wire.refusal(), Code::TooManyRequests as u16, "{request:?}");
    }
    wire.send(1, &Request::Cancel);
    let mut id = 10;
    let is_answered = || {
        id += 1;
        wire.send(id, &Request::Statistics);
        wire.receive(|_, answer| matches!(answer, Answer::Statistics(_))).unwrap()
    };
    assert!(eventually(is_answered), "a cancelled read gives its place back");
}

#[test]
fn a_token_of_any_length_is_refused_and_costs_no_more_than_its_frame() {
    let host = Host::with(&[("limits.hello_bytes_max", "65536"), ("limits.data_bytes_max", "1000")]);
    let mut witness = Witness::new(&host);
    for plane in PLANES {
        let mut wire = Wire::open(host.address(plane));
        // Access is open here: what a token says does not matter, and a long one is only long.
        assert!(wire.try_hello(plane, "default", &"t".repeat(60_000)).is_ok());
        let mut wire = Wire::open(host.address(plane));
        wire.send_bytes(&FrameHeader { body_bytes: 1 << 20, kind: Kind::Hello as u8, id: 0 }.encode());
        wire.send_bytes(&vec![b't'; 1 << 20]);
        assert_eq!(wire.refusal(), Code::FrameTooLarge as u16);
        let mut cut = Vec::new();
        Request::Hello(Hello::new(plane, "default", &"t".repeat(70_000), "test")).encode(0, &mut cut);
        let mut wire = Wire::open(host.address(plane));
        wire.send_bytes(&cut);
        assert_eq!(wire.refusal(), Code::FrameTooLarge as u16);
    }
    witness.is_served();
}

#[test]
fn impossible_ranges_have_an_answer_without_events() {
    let host = Host::new();
    fill(&host, 10, 10);
    let mut wire = host.connect(Plane::Read);
    let (all, wide) = (Read::all, || Read::stream(stream()));
    let none = [
        all().from(Position(10)),
        all().from(Position(u64::MAX)),
        all().from(Position(u64::MAX)).backwards().until(Position(0)),
        all().from(Position(7)).until(Position(3)),
        all().from(Position(u64::MAX)).until(Position(u64::MAX)),
        all().until(Position(0)),
        all().limit(0),
        all().since(Timestamp(i64::MAX)),
        wide().from_revision(Revision(u64::MAX)),
        wide().from_revision(Revision(10)),
        wide().from(Position(9)).until(Position(2)),
        Read::stream(StreamName::new("nobody-1").unwrap()).from(Position(u64::MAX)).backwards(),
        Read::query("type=Nothing".parse().unwrap()).from(Position(u64::MAX)),
        Read::query("type=Wide".parse().unwrap()).from(Position(5)).until(Position(0)).backwards(),
    ];
    let mut id = 0;
    for read in none {
        for takes_batches in [false, true] {
            id += 1;
            let request = ReadRequest { takes_batches, ..read_request(read.clone()) };
            assert_eq!(read_all(&mut wire, id, request).0, [], "{read:?}");
        }
    }
    for read in
        [all().since(Timestamp(i64::MIN)), all().from(Position(u64::MAX)).backwards(), all().until(Position(u64::MAX))]
    {
        id += 1;
        assert_eq!(read_all(&mut wire, id, read_request(read.clone())).0.len(), 10, "{read:?}");
    }
}

#[test]
fn a_subscription_ends_where_it_was_to_end_however_its_events_come() {
    let host = Host::new();
    fill(&host, 30, 10);
    let mut wire = host.connect(Plane::Read);
    let mut id = 0;
    for (from, until) in [(0, 10), (0, 30), (12, 12), (20, 5), (40, 3)] {
        for takes_batches in [false, true] {
            id += 1;
            let read = Read::all().from(Position(from)).until(Position(until));
            let follow = Some(Pace { progress_every: Duration::MAX, behind_after: u64::MAX });
            let request = ReadRequest { follow, takes_batches, ..read_request(read) };
            wire.send(id, &Request::Read(Box::new(request)));
            let mut events = Vec::new();
            let mut is_over = false;
            while !is_over {
                wire.receive(|answered, answer| match answer {
                    _ if answered != id => panic!("{answer:?}"),
                    Answer::Begun(_) | Answer::CaughtUp(_) => {}
                    Answer::Events(sent) => events.extend(sent.map(|event| event.unwrap().record.position().0)),
                    Answer::Batches(batches) => events.extend(batches.flat_map(|batch| {
                        let batch = batch.unwrap();
                        let records = gesta::codec::Records::new(&batch.header, batch.body);
                        records.map(|record| record.unwrap().position().0).collect::<Vec<_>>()
                    })),
                    Answer::Ended(_) => is_over = true,
                    other => panic!("unexpected {other:?}"),
                })
                .unwrap();
            }
            assert_eq!(events, (from..until).collect::<Vec<_>>(), "{from}..{until} in batches: {takes_batches}");
        }
    }
}

#[test]
fn queries_at_their_limits_are_answered_and_larger_ones_are_refused() {
    let host = Host::new();
    fill(&host, 10, 10);
    let (mut wire, mut commands) = (host.connect(Plane::Read), host.connect(Plane::Append));
    let items = |count: usize| (0..count).map(|item| format!("tag=a:{item}")).collect::<Vec<_>>().join(" | ");
    let terms =
        |count: usize| format!("type={}", (0..count).map(|term| format!("T{term}")).collect::<Vec<_>>().join(","));
    for text in [items(1000), terms(16_384), format!("type=Wide | {}", items(999))] {
        let expected = if text.contains("Wide") { 10 } else { 0 };
        let read = Read::query(text.parse().unwrap());
        assert_eq!(read_all(&mut wire, 1, read_request(read.clone())).0.len(), expected);
        assert_eq!(read_all(&mut wire, 2, read_request(read.backwards().limit(3))).0.len(), expected.min(3));
        let request = AppendRequest::new().event(event(1)).unless(text.parse().unwrap(), Position(10));
        append(&mut commands, 1, request);
    }
    for text in [
        items(1001),
        terms(16_385),
        format!("{}{}", "(".repeat(100_000), ")".repeat(100_000)),
        "tag=a:b ".repeat(20_000),
    ] {
        let mut frame = Vec::new();
        Request::Read(Box::new(read_request(Read::query("type=a".parse().unwrap())))).encode(3, &mut frame);
        frame.truncate(frame.len() - 10);
        frame.extend_from_slice(&u32::try_from(text.len()).unwrap().to_le_bytes());
        frame.extend_from_slice(text.as_bytes());
        let body_bytes = u32::try_from(frame.len() - 16).unwrap();
        frame[..4].copy_from_slice(&body_bytes.to_le_bytes());
        wire.send_bytes(&frame);
        assert_eq!(wire.refusal(), Code::Request as u16, "{text:.30}");
    }
    wire.send(4, &Request::Ping);
    assert!(wire.receive(|_, answer| matches!(answer, Answer::Pong)).unwrap());
}

#[test]
fn an_id_is_refused_while_an_append_has_it_and_so_is_that_of_the_connection() {
    let host = Host::new();
    let mut ids = 0;
    let mut make_id = || {
        ids += 1;
        Uuid::from_u128(ids | 1 << 98)
    };
    // Both come in one packet, and the first is hardly ever synced by the time that the second is looked at.
    let is_refused = || {
        let mut wire = host.connect(Plane::Append);
        let mut out = Vec::new();
        for _ in 0..2 {
            let encoded = AppendRequest::new().event(event(1)).encode(&Limits::default(), &mut make_id).unwrap();
            Request::Append(Append::Encoded(&encoded)).encode(5, &mut out);
        }
        wire.send_bytes(&out);
        // What was taken first is answered, whatever came after it.
        wire.receive(|id, answer| assert!(matches!((id, answer), (5, Answer::Receipt(_))))).unwrap();
        wire.receive(|_, answer| match answer {
            Answer::Receipt(_) => false,
            Answer::Refused(refusal) => refusal.code == Code::Protocol as u16,
            other => panic!("unexpected {other:?}"),
        })
        .unwrap()
    };
    assert!(eventually(is_refused));
    for (plane, request) in [(Plane::Append, Request::RebuildIndex), (Plane::Read, Request::Statistics)] {
        let mut wire = host.connect(plane);
        wire.send(0, &request);
        assert_eq!(wire.refusal(), Code::Protocol as u16, "{request:?}");
        assert!(wire.is_closed());
    }
}
