//! Connections that are cut off in the middle of an append, and requests that are made twice: each is in the log once.

use crate::conversation::{event, read_all, read_request};
use crate::support::{Host, Line, Wire};
use crate::witness::Numbers;
use gesta::{AppendRequest, Event, EventType, ExpectedRevision, Limits, Read, Receipt, Revision, StreamName, Uuid};
use gesta_protocol::{Answer, Append, Code, Plane, Request};
use std::collections::BTreeMap;
use std::net::SocketAddr;

fn request_id(number: u64) -> Uuid {
    Uuid::from_u128(u128::from(number) | 7 << 100)
}

/// The frame of a request, whose events get ids of its own.
fn frame(id: u64, request: AppendRequest) -> Vec<u8> {
    let mut ids = u128::from(id) << 32;
    let make_id = || {
        ids += 1;
        Uuid::from_u128(ids | 1 << 101)
    };
    let encoded = request.encode(&Limits::default(), make_id).unwrap();
    let mut out = Vec::new();
    Request::Append(Append::Encoded(&encoded)).encode(id, &mut out);
    out
}

/// What a request that is named after its number comes to.
fn named(number: u64) -> Vec<u8> {
    frame(
        number + 1,
        AppendRequest::new().event(event(2 * number)).event(event(2 * number + 1)).request_id(request_id(number)),
    )
}

fn connect(address: SocketAddr) -> Line {
    let mut line = Line::open(None, address);
    line.wire.hello(Plane::Append, "default", "");
    line
}

fn receipt(wire: &mut Wire) -> Option<Receipt> {
    wire.receive(|_, answer| match answer {
        Answer::Receipt(receipt) => receipt,
        other => panic!("no receipt but {other:?}"),
    })
}

fn receipt_or_code(wire: &mut Wire, frame: &[u8]) -> Result<Receipt, String> {
    wire.send_bytes(frame);
    wire.receive(|_, answer| match answer {
        Answer::Receipt(receipt) => Ok(receipt),
        Answer::Conflict(conflict) => Err(format!("conflict {}", conflict.missed.len())),
        Answer::Refused(refusal) => Err(format!("refused {}", refusal.code)),
        other => panic!("unexpected {other:?}"),
    })
    .unwrap()
}

/// How often each event is in the log, by its data.
fn counts(host: &Host) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, data) in read_all(&mut host.connect(Plane::Read), 1, read_request(Read::all())).0 {
        *counts.entry(data).or_default() += 1;
    }
    counts
}

#[test]
fn a_request_whose_answer_was_lost_is_answered_the_same_when_it_is_made_again() {
    let host = Host::new();
    let address = host.address(Plane::Append);
    let mut line = connect(address);
    line.wire.send_bytes(&named(1));
    let first = receipt(&mut line.wire).unwrap();
    // The answer to the second is never taken: the connection is reset as soon as it was sent.
    let mut lost = connect(address);
    lost.wire.send_bytes(&named(2));
    drop(lost);
    let mut again = connect(address);
    for (number, expected) in [(1, Some(&first)), (2, None)] {
        again.wire.send_bytes(&named(number));
        let one = receipt(&mut again.wire).unwrap();
        again.wire.send_bytes(&named(number));
        let other = receipt(&mut again.wire).unwrap();
        assert_eq!((&one.positions, &one.revisions), (&other.positions, &other.revisions));
        if let Some(first) = expected {
            assert_eq!((&one.positions, &one.revisions), (&first.positions, &first.revisions));
        }
    }
    assert_eq!(counts(&host).values().copied().collect::<Vec<_>>(), [1; 4]);
}

/// Makes requests over connections that are reset at random, each until it is answered; tells the receipts.
fn persist(address: SocketAddr, numbers: std::ops::Range<u64>) -> Vec<Receipt> {
    let mut chance = Numbers::seeded(numbers.start);
    let mut line = connect(address);
    let mut receipts = Vec::new();
    for number in numbers {
        let frame = named(number);
        loop {
            match chance.below(4) {
                // Somewhere in the frame, or with the whole of it under way.
                0 => line.wire.send_bytes(&frame[..chance.below(frame.len())]),
                1 => line.wire.send_bytes(&frame),
                _ => {
                    line.wire.send_bytes(&frame);
                    receipts.push(receipt(&mut line.wire).unwrap());
                    break;
                }
            }
            drop(line);
            line = connect(address);
        }
    }
    receipts
}

#[test]
fn many_clients_with_random_resets_append_each_request_exactly_once() {
    const CLIENTS: u64 = 8;
    const REQUESTS: u64 = 60;
    let host = Host::new();
    let address = host.address(Plane::Append);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| std::thread::spawn(move || persist(address, client * REQUESTS..(client + 1) * REQUESTS)))
        .collect();
    let receipts: Vec<Receipt> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    let counts = counts(&host);
    assert_eq!(counts.len() as u64, CLIENTS * REQUESTS * 2);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    // Each receipt names the place of its own two events, which no other receipt names.
    let mut places: Vec<u64> = receipts.iter().map(|receipt| receipt.positions.start.0).collect();
    places.sort_unstable();
    assert_eq!(places, (0..CLIENTS * REQUESTS).map(|request| 2 * request).collect::<Vec<_>>());
}

#[test]
fn ids_that_are_used_twice_are_the_same_request_or_refused_as_the_page_on_durability_says() {
    let host = Host::new();
    let wire = &mut connect(host.address(Plane::Append)).wire;
    let stream = || StreamName::new("order-1").unwrap();
    let placed = |id: u128, data: &str| {
        let event = Event::new(EventType::new("Placed").unwrap()).stream(stream());
        event.id(Uuid::from_u128(id | 9 << 100)).json(format!("\"{data}\""))
    };
    // One id twice in one request: ids of events are their makers' affair, and both are kept.
    let twice = frame(1, AppendRequest::new().event(placed(1, "a")).event(placed(1, "b")));
    assert_eq!(receipt_or_code(wire, &twice).unwrap().positions.end.0, 2);
    // The same events again, expected where they stand already: the same append.
    let expecting = |events: [Event; 2]| {
        let request = AppendRequest::new().events(events);
        frame(2, request.expect(stream(), ExpectedRevision::Exactly(Revision(1))))
    };
    let first = receipt_or_code(wire, &expecting([placed(2, "c"), placed(3, "d")])).unwrap();
    let again = receipt_or_code(wire, &expecting([placed(2, "c"), placed(3, "d")])).unwrap();
    assert_eq!((first.positions, first.revisions), (again.positions, again.revisions));
    // The first of them again and another one: an error of its own. Others altogether: a conflict.
    let partial = receipt_or_code(wire, &expecting([placed(2, "c"), placed(4, "e")]));
    assert_eq!(partial.unwrap_err(), format!("refused {}", Code::PartialMatch as u16));
    assert_eq!(receipt_or_code(wire, &expecting([placed(5, "f"), placed(6, "g")])).unwrap_err(), "conflict 0");
    // A request id with other events.
    let named = |data| frame(3, AppendRequest::new().event(placed(7, data)).request_id(request_id(1)));
    receipt_or_code(wire, &named("h")).unwrap();
    receipt_or_code(wire, &named("h")).unwrap();
    assert_eq!(receipt_or_code(wire, &named("i")).unwrap_err(), format!("refused {}", Code::RequestIdReused as u16));
    assert_eq!(counts(&host).values().sum::<usize>(), 5);
}

#[test]
fn revisions_at_the_end_of_their_range_are_conflicts_and_overflow_nothing() {
    let host = Host::new();
    let wire = &mut connect(host.address(Plane::Append)).wire;
    let (known, unknown) = (StreamName::new("order-1").unwrap(), StreamName::new("order-99").unwrap());
    receipt_or_code(wire, &frame(1, AppendRequest::new().event(event(1)))).unwrap();
    let exactly = |revision| ExpectedRevision::Exactly(Revision(revision));
    for (expected, of_known, of_unknown) in [
        (exactly(u64::MAX), false, false),
        (exactly(u64::MAX - 1), false, false),
        (exactly(1), false, false),
        (exactly(0), true, false),
        (ExpectedRevision::NoStream, false, true),
        (ExpectedRevision::StreamExists, true, false),
        (ExpectedRevision::Any, true, true),
    ] {
        for (stream, holds) in [(&known, of_known), (&unknown, of_unknown)] {
            for missed in [0, u32::MAX] {
                // Without events: a check alone, that leaves everything as it is.
                let check = AppendRequest::new().expect(stream.clone(), expected).return_missed(missed);
                let outcome = receipt_or_code(wire, &frame(2, check));
                let is_conflict = outcome.as_ref().is_err_and(|error| error.starts_with("conflict"));
                assert_eq!((outcome.is_ok(), is_conflict), (holds, !holds), "{stream} {expected:?} {outcome:?}");
            }
        }
    }
    let query = || "category=order".parse().unwrap();
    for (after, holds) in [(u64::MAX, true), (1, true), (0, false)] {
        let check = AppendRequest::new().unless(query(), gesta::Position(after)).return_missed(5);
        let outcome = receipt_or_code(wire, &frame(3, check));
        assert_eq!(outcome.is_ok(), holds, "{after} {outcome:?}");
    }
    // A hint that is wrong finds nothing wrong.
    let hinted = AppendRequest::new().event(event(4)).request_id(request_id(5)).since(gesta::Position(u64::MAX));
    receipt_or_code(wire, &frame(4, hinted)).unwrap();
}
