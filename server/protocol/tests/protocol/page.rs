//! docs/PROTOCOL.md tells the truth: its conversation is made of frames, and its tables name every kind and code there is.

use crate::hearing::take;
use crate::samples::{End, order_placed};
use gesta_model::{
    AppendRequest, Durability, EncodedRequest, ExpectedRevision, Explanation, Incarnation, Limits, Position, Read,
    Receipt, Revision, StreamName, Timestamp, Uuid,
};
use gesta_protocol::{
    Answer, Append, Begun, Code, Ended, EventsEncoder, Hello, Kind, Plane, ReadRequest, Request, Welcome,
};
use std::fmt::Write;

const PAGE: &str = include_str!("../../../../docs/PROTOCOL.md");
const CONVERSATION: &str = "## A whole conversation";

/// A frame as the page shows it.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    end: End,
    kind: String,
    id: u64,
    bytes: Vec<u8>,
}

/// The frames of the page's last section. A frame begins with a line such as `client: Hello, id 0`; each line below has an
/// offset, up to sixteen bytes and, three spaces on, what they are.
fn shown() -> Vec<Shown> {
    let section = PAGE.split_once(CONVERSATION).expect("the page ends with a conversation").1;
    let mut frames: Vec<Shown> = Vec::new();
    for line in section.lines() {
        let head = [("client: ", End::Client), ("server: ", End::Server)];
        if let Some((rest, end)) = head.iter().find_map(|(head, end)| Some((line.trim().strip_prefix(head)?, *end))) {
            let (kind, id) = rest.split_once(", id ").expect("a frame's line names its kind and id");
            frames.push(Shown { end, kind: kind.to_owned(), id: id.parse().unwrap(), bytes: Vec::new() });
        } else if let Some((offset, rest)) = line.trim().split_once("  ") {
            let Ok(offset) = usize::from_str_radix(offset, 16) else { continue };
            let frame = frames.last_mut().expect("bytes belong to a frame");
            assert_eq!(offset, frame.bytes.len(), "{line}");
            let bytes = rest.split("   ").next().unwrap().split_whitespace();
            frame.bytes.extend(bytes.map(|byte| u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{line}"))));
        }
    }
    frames
}

fn request() -> EncodedRequest {
    let order = StreamName::new("order-17").unwrap();
    let request = AppendRequest::new().event(order_placed()).expect(order, ExpectedRevision::NoStream);
    let request = request.request_id(Uuid::from_u128(0x6b1f_0c52_2f0e_4a53_9d0a_0f2c_5f1f_6a01));
    request.encode(&Limits::default(), Uuid::nil).unwrap()
}

fn welcome(head: Position) -> Answer<'static> {
    Answer::Welcome(Box::new(Welcome {
        version: 1,
        features: 0,
        store_id: Uuid::from_u128(0x019a_b3c4_7e21_7d80_9f10_2233_4455_6677),
        incarnation: Incarnation(2),
        head,
        frame_bytes_max: 34 << 20,
        limits: Limits::default(),
        requests_in_flight_max: 1024,
        heartbeat_ms: 15_000,
        idle_timeout_ms: 60_000,
        agent: "gesta 0.1.0".to_owned(),
    }))
}

/// What is said in the conversation of the page.
fn conversation() -> Vec<Shown> {
    let mut frames = Vec::new();
    let mut say = |end, kind: Kind, id, bytes| frames.push(Shown { end, kind: format!("{kind:?}"), id, bytes });
    let hello = |plane| Request::Hello(Hello::new(plane, "default", "", "example"));
    let mut ask = |id, request: &Request<'_>| {
        let mut frame = Vec::new();
        request.encode(id, &mut frame);
        say(End::Client, request.kind(), id, frame);
    };
    let mut appended = request();
    ask(0, &hello(Plane::Append));
    ask(1, &Request::Append(Append::Encoded(&appended)));
    ask(0, &hello(Plane::Read));
    let read = ReadRequest {
        read: Read::all(),
        follow: None,
        takes_batches: false,
        given_in: None,
        credit: 1 << 20,
        snapshot: None,
    };
    ask(1, &Request::Read(Box::new(read)));

    let mut answer = |id, answer: &Answer<'_>| {
        let mut frame = Vec::new();
        answer.encode(id, &mut frame);
        frames.push(Shown { end: End::Server, kind: format!("{:?}", answer.kind()), id, bytes: frame });
    };
    let one = Position(1);
    answer(0, &welcome(Position(0)));
    answer(
        1,
        &Answer::Receipt(Receipt {
            positions: Position(0)..one,
            revisions: vec![(StreamName::new("order-17").unwrap(), Revision(0))],
            head: one,
            durability: Durability::Durable,
            incarnation: Incarnation(2),
        }),
    );
    answer(0, &welcome(one));
    answer(1, &Answer::Begun(Begun { head: one, incarnation: Incarnation(2) }));
    answer(1, &Answer::Ended(Ended { position: one, explanation: Explanation::default() }));
    appended.place(Position(0), |_| 0);
    let mut events = EventsEncoder::events(1);
    events.event(Timestamp(1_700_000_001_000_000_000), &appended.records(Position(0)).next().unwrap().1);
    frames.push(Shown { end: End::Server, kind: "Events".to_owned(), id: 1, bytes: events.finish() });
    // In the order in which it goes over the two connections.
    let mut frames: Vec<_> = frames.into_iter().map(Some).collect();
    [0, 4, 1, 5, 2, 6, 3, 7, 9, 8].map(|at| frames[at].take().unwrap()).into()
}

/// The frames as the page would show them, without a word about any line.
fn drawn(frames: &[Shown]) -> String {
    let mut text = String::new();
    for Shown { end, kind, id, bytes } in frames {
        let end = if *end == End::Client { "client" } else { "server" };
        write!(text, "\n {end}: {kind}, id {id}\n").unwrap();
        for (line, bytes) in bytes.chunks(16).enumerate() {
            let halves = bytes.chunks(8).map(|half| half.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>());
            let halves: Vec<_> = halves.map(|half| half.join(" ")).collect();
            writeln!(text, "   {:02x}  {}", line * 16, halves.join("  ")).unwrap();
        }
    }
    text
}

#[test]
fn the_conversation_of_the_page_is_the_one_that_is_told() {
    let (told, shown) = (conversation(), shown());
    assert!(told == shown, "the page shows other frames than these:\n{}", drawn(&told));
}

#[test]
fn every_frame_of_the_page_is_read_and_encodes_to_its_own_bytes() {
    for Shown { end, kind, id, bytes } in shown() {
        let said = take(end, &bytes).unwrap_or_else(|fault| panic!("{kind}: {fault:?}"));
        assert_eq!((format!("{:?}", said.kind), said.id, said.again), (kind, id, bytes));
    }
}

#[test]
fn the_page_names_every_kind_and_every_code() {
    for kind in (0..=u8::MAX).filter_map(Kind::of) {
        assert!(
            PAGE.contains(&format!("| `{:02x}` | {kind:?} |", kind as u8)),
            "no row says that {kind:?} is {:02x}",
            kind as u8
        );
    }
    for code in Code::ALL {
        assert!(
            PAGE.contains(&format!("| {} | {code:?} |", *code as u16)),
            "no row says that {code:?} is {}",
            *code as u16
        );
    }
}
