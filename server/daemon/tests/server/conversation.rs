//! A client that appends and reads back, by the frames alone.

use crate::support::{Host, Wire};
use gesta::{AppendRequest, Event, EventType, Limits, Position, Query, Read, Receipt, StreamName, Uuid};
use gesta_protocol::{Answer, Append, Plane, ReadRequest, Request};

pub(crate) fn event(number: u64) -> Event {
    let stream = StreamName::new(format!("order-{}", number % 3)).unwrap();
    Event::new(EventType::new("Placed").unwrap()).stream(stream).json(format!("{{\"n\":{number}}}"))
}

pub(crate) fn append(wire: &mut Wire, id: u64, request: AppendRequest) -> Receipt {
    let mut ids = id << 32;
    let make_id = || {
        ids += 1;
        Uuid::from_u128(u128::from(ids) | 1 << 100)
    };
    let encoded = request.encode(&Limits::default(), make_id).unwrap();
    wire.send(id, &Request::Append(Append::Encoded(&encoded)));
    wire.receive(|answered, answer| match answer {
        Answer::Receipt(receipt) if answered == id => receipt,
        other => panic!("no receipt for {id} but {other:?} for {answered}"),
    })
    .unwrap()
}

pub(crate) fn read_request(read: Read) -> ReadRequest {
    ReadRequest { read, follow: None, takes_batches: false, given_in: None, credit: u32::MAX, snapshot: None }
}

/// The data of all events that a read answers with, and the head that it began with.
pub(crate) fn read_all(wire: &mut Wire, id: u64, request: ReadRequest) -> (Vec<(u64, String)>, Position) {
    wire.send(id, &Request::Read(Box::new(request)));
    let (mut events, mut head) = (Vec::new(), None);
    let mut is_over = false;
    while !is_over {
        wire.receive(|answered, answer| {
            assert_eq!(answered, id);
            let data = |record: &gesta::Record<'_>| (record.position().0, record.data().as_str().unwrap().to_owned());
            match answer {
                Answer::Begun(begun) => head = Some(begun.head),
                Answer::Events(sent) => events.extend(sent.map(|event| data(&event.unwrap().record))),
                Answer::Batches(batches) => {
                    for batch in batches {
                        let batch = batch.unwrap();
                        let records = gesta::codec::Records::new(&batch.header, batch.body);
                        events.extend(records.map(|record| data(&record.unwrap())));
                    }
                }
                Answer::Ended(_) => is_over = true,
                other => panic!("unexpected {other:?}"),
            }
        })
        .expect("the answer is complete");
    }
    (events, head.unwrap())
}

#[test]
fn what_is_appended_on_one_plane_is_read_on_the_other() {
    let host = Host::new();
    let mut commands = host.connect(Plane::Append);
    for id in 1..=20_u64 {
        let request = AppendRequest::new().event(event(2 * id)).event(event(2 * id + 1));
        let receipt = append(&mut commands, id, request);
        assert_eq!(receipt.positions, Position(2 * id - 2)..Position(2 * id));
    }
    let mut queries = host.connect(Plane::Read);
    let all: Vec<_> = (0..40).map(|position| (position, format!("{{\"n\":{}}}", position + 2))).collect();
    assert_eq!(read_all(&mut queries, 1, read_request(Read::all())), (all.clone(), Position(40)));
    let batches = ReadRequest { takes_batches: true, ..read_request(Read::all()) };
    assert_eq!(read_all(&mut queries, 2, batches), (all.clone(), Position(40)));
    let stream = Read::stream(StreamName::new("order-1").unwrap());
    let of_stream: Vec<_> = all.iter().filter(|(position, _)| (position + 2) % 3 == 1).cloned().collect();
    assert_eq!(read_all(&mut queries, 3, read_request(stream.clone())).0, of_stream);
    let backwards: Vec<_> = of_stream.iter().rev().take(3).cloned().collect();
    assert_eq!(read_all(&mut queries, 4, read_request(stream.backwards().limit(3))).0, backwards);
    let query: Query = "type=Placed".parse().unwrap();
    let some = Read::query(query).from(Position(10)).until(Position(15));
    assert_eq!(read_all(&mut queries, 5, read_request(some)).0, all[10..15]);
}

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let mut host = Host::new();
    let mut commands = host.connect(Plane::Append);
    append(&mut commands, 1, AppendRequest::new().event(event(5)));
    host.restart(&[]);
    let mut queries = host.connect(Plane::Read);
    assert_eq!(read_all(&mut queries, 1, read_request(Read::all())).0, [(0, "{\"n\":5}".to_owned())]);
}
